import type { TimeUnit } from './time-unit.js';

/** In the order in which a transaction gives them and takes them back, and so locks what they need. */
export const REWARD_TYPES = ['SUBSCRIPTION', 'COUPON', 'POINTS', 'BALANCE'] as const;
export type RewardType = (typeof REWARD_TYPES)[number];

/** One reward of a campaign: defaults are filled in, amounts are decimal strings. */
export interface RewardRule {
  readonly type: RewardType;
  /** For a SUBSCRIPTION the plan's id, for a COUPON its template's, for a BALANCE the facility's; POINTS have '0'. */
  readonly id: string;
  /** For a SUBSCRIPTION: how long one quantity lasts; null takes the plan's unit. */
  readonly unit: TimeUnit | null;
  /** Units of a SUBSCRIPTION, number of COUPONs; 1 for POINTS and BALANCE. */
  readonly quantity: number;
  /** Its value in the campaign's budget. */
  readonly value: string;
  /** Null means for every user. */
  readonly condition: { readonly userTag: string } | null;
  /** A condition in the language of `condition-facts.ts`; null means for every user. Where both are set, both must hold. */
  readonly when: string | null;
  /** Of POINTS a whole number, of BALANCE an amount of its currency; null for the others. */
  readonly amount: string | null;
  /** Of BALANCE. */
  readonly currency: string | null;
  /** Of POINTS: days until they expire; null means never. */
  readonly validDays: number | null;
}

/** What the id of a reward says that names nothing. */
export const NOTHING_NAMED = '0';

/** A rule as it is stored. Campaigns and claims of former versions lack what was added since. */
export type StoredRewardRule = Omit<RewardRule, Added> & Partial<Pick<RewardRule, Added>>;
type Added = 'amount' | 'currency' | 'validDays' | 'when';

/** The one place where stored rules are read. */
export function readRewardRule(stored: StoredRewardRule): RewardRule {
  return { amount: null, currency: null, validDays: null, when: null, ...stored };
}
