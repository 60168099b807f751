import type { RedeemCodeErrorCode } from './refusals.gql';

/** Those that are noted: what concerns a code, a user or a limit. */
export const REFUSALS = [
  'CODE_NOT_FOUND',
  'CODE_MALFORMED',
  'CODE_NOT_YOURS',
  'CODE_EXHAUSTED',
  'CODE_EXPIRED',
  'CODE_NOT_STARTED',
  'CODE_INACTIVE',
  'CODE_HELD',
  'ALREADY_REDEEMED',
  'RATE_LIMITED',
  'USER_LIMIT_REACHED',
  'BUDGET_EXHAUSTED',
  'CAMPAIGN_NOT_ACTIVE',
  'PRODUCT_NOT_ALLOWED',
  'PRODUCT_UNKNOWN',
  'NO_REWARD_FOR_USER',
  'REWARD_HAS_NO_EFFECT',
  'PLAN_SOLD_OUT',
  'PLAN_QUOTA_REACHED',
  'COUPON_NOT_ISSUABLE',
  'CURRENCY_NOT_AVAILABLE',
  'ACCOUNT_HALTED',
  'SERVICE_UNAVAILABLE',
] as const satisfies readonly RedeemCodeErrorCode[];
