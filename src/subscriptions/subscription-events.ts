import type { Id } from '../platform/ids.js';
import type { PublishedEvent } from '../platform/outbox/published-event.js';
import { REDEMPTION_SETTLED, rewardsGiven } from '../rewards/rewards-given.js';

/** A subscription changed by itself; a redemption tells of its own changes. */
export const SUBSCRIPTION_INVALIDATED = 'subscription_invalidated';

interface InvalidatedSubscription {
  readonly subscriptionId: Id;
  readonly planId: Id;
}

/** Events that may tell of changed subscriptions. */
export const SUBSCRIPTION_EVENTS = [REDEMPTION_SETTLED, SUBSCRIPTION_INVALIDATED] as const;

/** The subscriptions that an event tells to fetch again. */
export function invalidatedBy(event: PublishedEvent): InvalidatedSubscription[] {
  if (event.type === SUBSCRIPTION_INVALIDATED) return [event.payload as unknown as InvalidatedSubscription];
  return rewardsGiven(event, 'SUBSCRIPTION').map(({ targetId, sourceId }) => ({
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
