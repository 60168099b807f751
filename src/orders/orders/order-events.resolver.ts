import { Arg, Resolver, Root, Subscription } from 'type-graphql';
import { AFTER, ownEvents, type FeedItem } from '../../graphql/own-events.js';
import { ORDER_CLOSED } from './order-events.js';
import { OrderClosedEvent } from './order.types.js';

@Resolver()
export class OrderEventsResolver {
  @Subscription(() => OrderClosedEvent, {
    description: "The caller's orders that are closed or fail; staff see those of the tenant.",
    subscribe: ownEvents({ types: [ORDER_CLOSED], list: 'orders' }),
  })
  orderClosed(@Root() item: FeedItem, @Arg('after', () => String, AFTER) _after?: string | null) {
    return item;
  }
}
