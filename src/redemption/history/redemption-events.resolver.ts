import { Arg, Resolver, Root, Subscription } from 'type-graphql';
import { AFTER, ownEvents } from '../../graphql/own-events.js';
import type { PublishedEvent } from '../../platform/outbox/published-event.js';
import { REDEMPTION_SETTLED, RedemptionSettledEvent } from '../redemption.types.js';

@Resolver()
export class RedemptionEventsResolver {
  @Subscription(() => RedemptionSettledEvent, {
    description: "One's own redemptions as they are settled; staff see their tenant's.",
    subscribe: ownEvents(REDEMPTION_SETTLED, { list: 'redemptions' }),
  })
  redemptionSettled(
    @Root() event: PublishedEvent,
    @Arg('after', () => String, AFTER) _after?: string | null,
  ) {
    const { id, seq, userId, payload } = event;
    return { ...payload, eventId: id, cursor: String(seq), userId };
  }
}
