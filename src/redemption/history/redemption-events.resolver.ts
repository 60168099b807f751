import { Arg, Ctx, Query, Resolver, Root, Subscription } from 'type-graphql';
import { requireToken } from '../../graphql/auth.js';
import type { RequestContext } from '../../graphql/context.js';
import { AFTER, ownEvents, type FeedItem } from '../../graphql/own-events.js';
import { REDEMPTION_SETTLED } from '../../rewards/rewards-given.js';
import { RedemptionSettledEvent } from '../redemption.types.js';

@Resolver()
export class RedemptionEventsResolver {
  @Query(() => String, {
    description:
      "The cursor of the tenant's last event. Given as `after`, a subscription brings every later event, also those that come before the subscription has begun.",
  })
  async eventCursor(@Ctx() context: RequestContext): Promise<string> {
    return String(await context.events.lastSeq(requireToken(context).tenantId));
  }

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
