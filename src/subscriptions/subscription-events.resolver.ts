import { Arg, Resolver, Root, Subscription } from 'type-graphql';
import { AFTER, ownEvents, type FeedItem } from '../graphql/own-events.js';
import { invalidatedBy, SUBSCRIPTION_EVENTS } from './subscription-events.js';
import { SubscriptionInvalidatedEvent } from './subscription.types.js';

@Resolver()
export class SubscriptionEventsResolver {
  @Subscription(() => SubscriptionInvalidatedEvent, {
    description:
      "The caller's subscriptions that changed: fetch them again. Staff and nodes get those of their tenant.",
    subscribe: ownEvents({
      types: SUBSCRIPTION_EVENTS,
      items: invalidatedBy,
      list: 'mySubscriptions',
    }),
  })
  subscriptionInvalidated(@Root() item: FeedItem, @Arg('after', () => String, AFTER) _after?: string | null) {
    return item;
  }
}
