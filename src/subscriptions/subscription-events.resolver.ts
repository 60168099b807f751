import { Resolver, Root, Subscription } from 'type-graphql';
import { ownEvents } from '../graphql/own-events.js';
import type { PublishedEvent } from '../platform/outbox/published-event.js';
import { SUBSCRIPTION_INVALIDATED } from './subscription-reward.session.js';
import { SubscriptionInvalidatedEvent } from './subscription.types.js';

@Resolver()
export class SubscriptionEventsResolver {
  @Subscription(() => SubscriptionInvalidatedEvent, {
    description: "One's own subscriptions that changed: fetch them anew. Staff see their tenant's.",
    subscribe: ownEvents(SUBSCRIPTION_INVALIDATED),
  })
  subscriptionInvalidated(@Root() event: PublishedEvent) {
    const { id, seq, userId, payload } = event;
    return { ...payload, eventId: id, cursor: String(seq), userId };
  }
}
