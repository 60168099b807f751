import type { Id } from '../platform/ids.js';
import type { PublishedEvent } from '../platform/outbox/published-event.js';
import { REDEMPTION_SETTLED, rewardsGiven } from '../rewards/rewards-given.js';

/** A subscription changed by itself; a redemption tells of its own changes. */
export const SUBSCRIPTION_INVALIDATED = 'subscription_invalidated';

/** Events that may tell of changed subscriptions. */
export const SUBSCRIPTION_EVENTS = [REDEMPTION_SETTLED, SUBSCRIPTION_INVALIDATED] as const;

/** The subscriptions that an event tells to fetch again. */
export function invalidatedBy(event: PublishedEvent): { subscriptionId: Id; planId: Id }[] {
  if (event.type === SUBSCRIPTION_INVALIDATED) return [event.payload as { subscriptionId: Id; planId: Id }];
  return rewardsGiven(event, 'SUBSCRIPTION').map(({ targetId, sourceId }) => ({
    subscriptionId: targetId,
    planId: sourceId,
  }));
}
