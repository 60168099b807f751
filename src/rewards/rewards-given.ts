import type { Id } from '../platform/ids.js';
import type { PublishedEvent } from '../platform/outbox/published-event.js';
import type { RewardType } from './reward-rule.js';

/** The type of the one event that a redemption leaves in the outbox. */
export const REDEMPTION_SETTLED = 'redemption_settled';

/** A reward as its redemption's event tells of it. */
export interface RewardGiven {
  readonly rewardNo: number;
  readonly type: RewardType;
  /** What the rule named. */
  readonly sourceId: Id;
  /** The row that was made or changed. */
  readonly targetId: Id;
}

/** The rewards of one type that an event tells of; none where it is no redemption's, or one that was refused. */
export function rewardsGiven({ type, payload }: PublishedEvent, of: RewardType): readonly RewardGiven[] {
  if (type !== REDEMPTION_SETTLED) return [];
  const rewards = (payload['rewards'] ?? []) as readonly RewardGiven[];
  return rewards.filter((reward) => reward.type === of);
}
