import type { TimeUnit } from './time-unit.js';

export const REWARD_TYPES = ['SUBSCRIPTION', 'COUPON', 'POINTS', 'MONEY'] as const;
export type RewardType = (typeof REWARD_TYPES)[number];

/** One reward of a campaign, as stored: defaults are filled in, amounts are decimal strings. */
export interface RewardRule {
  readonly type: RewardType;
  /** The id of the reward: for a SUBSCRIPTION the plan's id. */
  readonly id: string;
  /** For a SUBSCRIPTION: how long one quantity lasts; null takes the plan's unit. */
  readonly unit: TimeUnit | null;
  readonly quantity: number;
  /** Its value in the campaign's budget. */
  readonly value: string;
  /** Null means for every user. */
  readonly condition: { readonly userTag: string } | null;
}
