import type { Id } from '../ids.js';
import { tenantChannel, userChannel } from '../pubsub/channels.js';
import type { EventBus } from '../pubsub/event-bus.js';
import type { PublishedEvent } from './published-event.js';

/** An event as it travels: JSON knows no dates. */
type WireEvent = Omit<PublishedEvent, 'createdAt'> & { readonly createdAt: string };

/** Which events somebody wants. */
export interface FeedFilter {
  readonly type: string;
  /** Only this user's; null for those of the whole tenant. */
  readonly userId: Id | null;
}

/** Carries published events to the subscribers of all processes: a message a batch for staff, and one for each user. */
export class EventFeed {
  constructor(private readonly bus: EventBus) {}

  /** Hands on events of one tenant, in order of `seq`. */
  async publish(events: readonly PublishedEvent[]): Promise<void> {
    const first = events[0];
    if (first === undefined) return;
    const wire = events.map((event) => ({ ...event, createdAt: event.createdAt.toISOString() }));
    const publications: { channel: string; event: readonly WireEvent[] }[] = [
      { channel: tenantChannel(first.tenantId), event: wire },
    ];
    for (const [userId, own] of Map.groupBy(wire, (event) => event.userId)) {
      if (userId !== null) publications.push({ channel: userChannel(first.tenantId, userId), event: own });
    }
    await this.bus.publishAll(publications);
  }

  /** Live from the moment this resolves, so that nothing is missed by whoever acts after it. */
  async subscribe(
    tenantId: string,
    { type, userId }: FeedFilter,
  ): Promise<AsyncIterableIterator<PublishedEvent>> {
    const channel = userId === null ? tenantChannel(tenantId) : userChannel(tenantId, userId);
    return this.bus.subscribe<PublishedEvent, readonly WireEvent[]>(channel, {
      select: (batch) => batch.filter((event) => event.type === type).map(revive),
    });
  }
}

function revive(event: WireEvent): PublishedEvent {
  return { ...event, createdAt: new Date(event.createdAt) };
}
