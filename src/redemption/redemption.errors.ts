/**
 * Why a code was not redeemed, in order of precedence (`SPEC` section 4): the first that applies is answered.
 * One spelling everywhere: Lua reply, database, metric label, GraphQL.
 */
export const REDEEM_REFUSALS = {
  TENANT_NOT_ACTIVE:
    'Codes cannot be redeemed here at the moment. Please ask the support of this app or site.',
  USER_DISABLED: 'This account does not exist or is disabled. Please ask the support of this app or site.',
  SESSION_ENDED: 'Your session has ended. Please sign in again.',
  IDEMPOTENCY_KEYS_DIFFER:
    'The header idempotency-key and the idempotencyKey of the input are not the same. Send one of them.',
  IDEMPOTENCY_KEY_MALFORMED: 'An idempotency key has 1 to 64 visible ASCII characters.',
  IDEMPOTENCY_KEY_REUSED:
    'This idempotency key was used for another code. Use a new key for each redemption.',
  DEVICE_ID_MALFORMED: 'A device id has 1 to 64 visible ASCII characters.',
  PRODUCT_REQUIRED: 'The app or site is missing. Send the header x-product-code.',
  PRODUCT_UNKNOWN: 'This app or site is not known here. Check the header x-product-code.',
  RATE_LIMITED: 'Too many attempts. Please wait and try again.',
  CODE_MALFORMED: 'This does not look like one of our codes. Please check it for typing errors.',
  CODE_NOT_FOUND: 'We do not know this code. Please check it for typing errors.',
  CAMPAIGN_NOT_ACTIVE: 'The campaign of this code is not running at the moment.',
  PRODUCT_NOT_ALLOWED: 'This code cannot be redeemed in this app or site.',
  CODE_INACTIVE: 'This code is not active. Please ask the person or company that gave it to you.',
  CODE_NOT_STARTED: 'This code is not valid yet.',
  CODE_EXPIRED: 'This code has expired.',
  CODE_NOT_YOURS: 'This code belongs to another user.',
  ALREADY_REDEEMED: 'You have already redeemed this code.',
  USER_NOT_ELIGIBLE: 'This campaign is for other users, or for another time.',
  USER_LIMIT_REACHED: 'You have reached the limit of this campaign for one user.',
  CODE_EXHAUSTED: 'This code has been used up.',
  CODE_HELD: 'Another redemption of this code is in progress. Please try again in a moment.',
  BUDGET_EXHAUSTED: 'The budget of this campaign is used up, so its codes cannot be redeemed at the moment.',
  PLAN_SOLD_OUT:
    'The plan that this code gives is sold out at the moment. The code stays valid; please try again later.',
  PLAN_QUOTA_REACHED: 'You already have the maximum number of subscriptions of this plan.',
  COUPON_NOT_ISSUABLE:
    'The coupon that this code gives is not issued at the moment. The code stays valid; please try again later.',
  CURRENCY_NOT_AVAILABLE:
    'The balance that this code gives cannot be credited at the moment. The code stays valid; please try again later.',
  ACCOUNT_HALTED:
    'The account that this code would credit is being checked. The code stays valid; please ask the support of this app or site.',
  REWARD_HAS_NO_EFFECT:
    'You already have all that this code gives, so it was not redeemed. The code stays valid; you can give it away.',
  NO_REWARD_FOR_USER: 'This code holds no reward for your account.',
  CODE_REFUSED: 'This code cannot be redeemed.',
  SERVICE_UNAVAILABLE:
    'We cannot redeem codes at the moment. Please try again soon; a code is never spent twice.',
} as const;

export type RedeemRefusal = keyof typeof REDEEM_REFUSALS;

export const REDEEM_REFUSAL_CODES = Object.keys(REDEEM_REFUSALS) as RedeemRefusal[];

/**
 * What comes before the key, and says nothing about it. Attempts above a limit must not reach the database, and are
 * told when to ask again.
 */
const BEFORE_THE_KEY: ReadonlySet<RedeemRefusal> = new Set([
  'TENANT_NOT_ACTIVE',
  'IDEMPOTENCY_KEY_MALFORMED',
  'IDEMPOTENCY_KEYS_DIFFER',
  'DEVICE_ID_MALFORMED',
  'RATE_LIMITED',
  'USER_DISABLED',
  'SESSION_ENDED',
  'SERVICE_UNAVAILABLE',
]);

/**
 * Whether the database must be asked for a caller's key before this is answered. Also IDEMPOTENCY_KEY_REUSED: where
 * Redis had forgotten the key, it may by now be that of a claim which the database is about to refuse.
 */
export function yieldsToKnownKey(refusal: RedeemRefusal): boolean {
  return !BEFORE_THE_KEY.has(refusal);
}

/** When a caller of CODE_HELD may ask again. */
export const HELD_RETRY_MS = 1000;

/** Refusals that would tell a guesser something about a code; folded into one where the installation says so. */
const TELLING: ReadonlySet<RedeemRefusal> = new Set([
  'CODE_NOT_FOUND',
  'CAMPAIGN_NOT_ACTIVE',
  'PRODUCT_NOT_ALLOWED',
  'CODE_INACTIVE',
  'CODE_NOT_STARTED',
  'CODE_EXPIRED',
  'CODE_NOT_YOURS',
  'USER_NOT_ELIGIBLE',
  'USER_LIMIT_REACHED',
  'CODE_EXHAUSTED',
  'CODE_HELD',
]);

export function isTelling(refusal: RedeemRefusal): boolean {
  return TELLING.has(refusal);
}

export function uniformRefusal(refusal: RedeemRefusal): RedeemRefusal {
  return isTelling(refusal) ? 'CODE_REFUSED' : refusal;
}

/**
 * Refusals of codes that the caller cannot hold. They count as failures; what merely cannot be redeemed any more does
 * not, because a shared code that is used up is tried by thousands who mean well, nor what no look-up is needed for.
 */
const GUESSES: ReadonlySet<RedeemRefusal> = new Set(['CODE_NOT_FOUND', 'CODE_NOT_YOURS']);

export function isGuess(refusal: RedeemRefusal): boolean {
  return GUESSES.has(refusal);
}

/** Refusals that pass by themselves: the same call may succeed in a moment. */
const PASSING: ReadonlySet<RedeemRefusal> = new Set(['CODE_HELD', 'SERVICE_UNAVAILABLE']);

export function isPassing(refusal: RedeemRefusal): boolean {
  return PASSING.has(refusal);
}

/** Why a redemption is not reversed, in order of precedence. */
export const REVERSE_REDEMPTION_REFUSALS = [
  'REASON_NOT_ALLOWED',
  'INPUT_NOT_ALLOWED',
  'REDEMPTION_NOT_FOUND',
  'ALREADY_REVERSED',
  'REWARD_SPENT',
  'ACCOUNT_HALTED',
] as const;
export type ReverseRedemptionRefusal = (typeof REVERSE_REDEMPTION_REFUSALS)[number];

export function isRedeemRefusal(code: string): code is RedeemRefusal {
  return Object.hasOwn(REDEEM_REFUSALS, code);
}

/** A refusal as a script of Redis answers it. */
export function refusalOfScript(word: string): RedeemRefusal {
  if (!isRedeemRefusal(word)) throw new Error(`A script answered ${word}, which is no refusal.`);
  return word;
}
