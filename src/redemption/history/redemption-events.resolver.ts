import { Arg, Resolver, Root, Subscription } from 'type-graphql';
import { AFTER, ownEvents, type FeedItem } from '../../graphql/own-events.js';
import { REDEMPTION_SETTLED } from '../../rewards/rewards-given.js';
import { RedemptionSettledEvent } from '../redemption.types.js';

@Resolver()
export class RedemptionEventsResolver {
  @Subscription(() => RedemptionSettledEvent, {
    description:
      "The caller's redemptions as they are settled; staff, and API keys of all product lines with the scope `redemptions:read`, see their tenant's.",
    subscribe: ownEvents({
      types: [REDEMPTION_SETTLED],
      list: 'redemptions',
    }),
  })
  redemptionSettled(@Root() item: FeedItem, @Arg('after', () => String, AFTER) _after?: string | null) {
    return item;
  }
}
