import { Arg, Resolver, Root, Subscription } from 'type-graphql';
import { AFTER, ownEvents } from '../graphql/own-events.js';
import type { PublishedEvent } from '../platform/outbox/published-event.js';
import { SUBSCRIPTION_INVALIDATED } from './subscription-reward.session.js';
import { SubscriptionInvalidatedEvent } from './subscription.types.js';

@Resolver()
export class SubscriptionEventsResolver {
  @Subscription(() => SubscriptionInvalidatedEvent, {
    description: "One's own subscriptions that changed: fetch them anew. Staff see their tenant's.",
    subscribe: ownEvents(SUBSCRIPTION_INVALIDATED, { list: 'mySubscriptions' }),
  })
  subscriptionInvalidated(
    @Root() event: PublishedEvent,
    @Arg('after', () => String, AFTER) _after?: string | null,
  ) {
    const { id, seq, userId, payload } = event;
    return { ...payload, eventId: id, cursor: String(seq), userId };
  }
}
