import type { OutboxDraft } from '../../platform/outbox/outbox.js';
import type { PublishedEvent } from '../../platform/outbox/published-event.js';
import { REDEMPTION_REVERSED } from '../../rewards/rewards-given.js';
import type { ReturnedUse } from '../claim/returned-uses.redis.js';
import { orderNoOf, type RedemptionRecord } from '../history/redemption-record.js';

/** One event for the reversal and all rewards that it has taken back. */
export function reversedEvent(record: RedemptionRecord, returned: ReturnedUse | null): OutboxDraft {
  const { id: redemptionId, codeId, campaignId, userId } = record;
  const payload = {
    redemptionId,
    orderNo: orderNoOf(redemptionId),
    codeId,
    campaignId,
    useReturned: returned !== null,
    returned,
    rewards: record.rewards.map(({ rewardNo, type, sourceId, targetId, debt = null }) => ({
      rewardNo,
      type,
      sourceId,
      targetId,
      debt,
    })),
  };
  return { type: REDEMPTION_REVERSED, userId, subjectId: redemptionId, payload };
}

/** The use that an event of this type says was given back. */
export function returnedUseOf({ payload }: PublishedEvent): ReturnedUse | null {
  return (payload['returned'] ?? null) as ReturnedUse | null;
}
