import type { Id } from '../../platform/ids.js';
import type { Redemption } from './redemption.entity.js';
import type { RewardGrant } from './reward-grant.entity.js';

/** The columns of a redemption's row. */
export type RedemptionRow = Pick<
  Redemption,
  | 'tenantId'
  | 'id'
  | 'status'
  | 'codeId'
  | 'campaignId'
  | 'batchId'
  | 'userId'
  | 'useNo'
  | 'userUseNo'
  | 'idempotencyKey'
  | 'productCode'
  | 'deviceId'
  | 'claimedAt'
  | 'settledAt'
  | 'abortReason'
  | 'reversedAt'
  | 'reversedBy'
  | 'reversalReason'
>;

/** The columns of a grant's row. */
export type GrantRow = Pick<
  RewardGrant,
  | 'tenantId'
  | 'redemptionId'
  | 'rewardNo'
  | 'type'
  | 'status'
  | 'sourceId'
  | 'targetId'
  | 'value'
  | 'grantedAt'
  | 'periodFrom'
  | 'periodUntil'
  | 'debt'
>;

/** A redemption with what it gave. */
export interface RedemptionRecord extends RedemptionRow {
  readonly rewards: readonly GrantRow[];
}

/** What a row says of its reversal until there is one. */
export const NOT_REVERSED = { reversedAt: null, reversedBy: null, reversalReason: null } as const;

/** A redemption's order bears its id, so that the number is known before anything is committed. */
export function orderNoOf(redemptionId: Id): string {
  return redemptionId;
}

/** Which rewards of its campaign, of which there are at most 16: bit n for the one at place n. */
export function rewardBits(rewards: readonly { readonly rewardNo: number }[]): number {
  return rewards.reduce((bits, { rewardNo }) => bits | (1 << rewardNo), 0);
}
