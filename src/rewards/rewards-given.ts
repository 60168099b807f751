import type { Id } from '../platform/ids.js';
import type { PublishedEvent } from '../platform/outbox/published-event.js';
import type { RewardType } from './reward-rule.js';

/** The type of the one event that a redemption leaves in the outbox. */
export const REDEMPTION_SETTLED = 'redemption_settled';
/** Of the one event that its reversal leaves there. */
export const REDEMPTION_REVERSED = 'redemption_reversed';

/** A reward as the event tells of it by which it was given, or taken back. */
export interface RewardGiven {
  readonly rewardNo: number;
  readonly type: RewardType;
  /** What the rule named. */
  readonly sourceId: Id;
  /** The row that was made or changed. */
  readonly targetId: Id;
}

/**
 * The rewards of one type that an event says were given or taken back; none where it is no redemption's, or one that
 * was refused.
 */
export function rewardsMoved({ type, payload }: PublishedEvent, of: RewardType): readonly RewardGiven[] {
  if (type !== REDEMPTION_SETTLED && type !== REDEMPTION_REVERSED) return [];
  const rewards = (payload['rewards'] ?? []) as readonly RewardGiven[];
  return rewards.filter((reward) => reward.type === of);
}
