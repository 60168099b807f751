import type { Em } from '../platform/database/orm.js';
import type { Id } from '../platform/ids.js';
import type { OutboxDraft } from '../platform/outbox/outbox.js';
import type { PublishedEvent } from '../platform/outbox/published-event.js';
import { REDEMPTION_REVERSED, REDEMPTION_SETTLED, rewardsMoved } from '../rewards/rewards-given.js';
import { Subscription } from './subscription.entity.js';

/** A subscription changed by itself, or its user was disabled or enabled; a redemption and its reversal tell of their own changes. */
const SUBSCRIPTION_INVALIDATED = 'subscription_invalidated';

interface InvalidatedSubscription {
  readonly subscriptionId: Id;
  readonly planId: Id;
}

/** Events that may tell of changed subscriptions. */
export const SUBSCRIPTION_EVENTS = [
  REDEMPTION_SETTLED,
  REDEMPTION_REVERSED,
  SUBSCRIPTION_INVALIDATED,
] as const;

export function subscriptionInvalidated({
  id,
  userId,
  planId,
}: Pick<Subscription, 'id' | 'userId' | 'planId'>): OutboxDraft {
  return { type: SUBSCRIPTION_INVALIDATED, userId, payload: { subscriptionId: id, planId } };
}

/** One event for each running subscription of a user. */
export async function runningInvalidated(em: Em, userId: Id): Promise<OutboxDraft[]> {
  const where = { userId, status: 'ACTIVE' as const };
  const fields = ['id', 'userId', 'planId'] as const;
  const running = await em.find(Subscription, where, { fields, disableIdentityMap: true });
  return running.map(subscriptionInvalidated);
}

/** The subscriptions that an event tells to fetch again. */
export function invalidatedBy(event: PublishedEvent): InvalidatedSubscription[] {
  if (event.type === SUBSCRIPTION_INVALIDATED) return [event.payload as unknown as InvalidatedSubscription];
  return rewardsMoved(event, 'SUBSCRIPTION').map(({ targetId, sourceId }) => ({
    subscriptionId: targetId,
    planId: sourceId,
  }));
}

/** Whose copies these events make old. */
export function changedBy(events: readonly PublishedEvent[]): { userId: Id; planId: Id }[] {
  return events.flatMap((event) => {
    const { userId } = event;
    return userId === null ? [] : invalidatedBy(event).map(({ planId }) => ({ userId, planId }));
  });
}
