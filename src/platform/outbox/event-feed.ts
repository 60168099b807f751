import { tenantChannel, userChannel } from '../push/channels.js';
import type { EventBus } from '../push/event-bus.js';
import { requireKnown, requireWithinReach } from './feed-cursor.js';
import { FairGate, type GateLimits } from '../scheduling/fair-gate.js';
import type { Caller } from '../scheduling/fair-queue.js';
import { LoopTurns } from '../scheduling/loop-turns.js';
import { FeedSubscription, type FeedSource } from './feed-subscription.js';
import type { FeedFilter, OutboxReader } from './outbox-reader.js';
import type { PublishedEvent } from './published-event.js';

/** How often subscribers are told how far they have heard. After a gap they read from there. */
const ADVANCE_EVERY_MS = 5000;

/** An event as it travels: JSON knows no dates. */
type WireEvent = Omit<PublishedEvent, 'createdAt'> & { readonly createdAt: string };

export interface EventFeedOptions {
  readonly advanceEveryMs?: number;
}

/**
 * Pages read at once, one for a tenant: those who catch up must not take the connections of lists. Those who wait hold
 * nothing but their place.
 */
const PAGES: GateLimits = {
  atOnce: 2,
  waiting: 100_000,
  waitingPerTenant: 50_000,
  waitingPerCaller: { STAFF: 10_000, USER: 10_000, ADDRESS: 0 },
  waitMsMax: 60_000,
};

/** Carries published events to the subscribers of all processes: a message a batch for staff, and one for each user. */
export class EventFeed {
  private readonly subscriptions = new Map<FeedSubscription, string>();
  private advancing: NodeJS.Timeout | null = null;
  private readonly pages = new FairGate(PAGES);
  /** Without a pace: subscribers must keep up with redemptions, the more the more there are. */
  private readonly turns = new LoopTurns();

  constructor(
    private readonly bus: EventBus,
    private readonly reader: OutboxReader,
    private readonly options: EventFeedOptions = {},
  ) {}

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

  /**
   * Live from the moment this resolves, so that nothing is missed by whoever acts after it; with a cursor, from the
   * event behind `afterSeq` on. What is published after the position was read is given: heard, or read again.
   * @throws CursorError when nobody can be served from there; so does the iterator, later on
   * @throws StoreUnavailableError
   */
  async subscribe(filter: FeedFilter, afterSeq: number | null = null): Promise<FeedSubscription> {
    const { tenantId, type, userId } = filter;
    const { lastSeq, publishedSeq } = await this.reader.position(tenantId);
    if (afterSeq !== null) {
      requireKnown(afterSeq, lastSeq);
      requireWithinReach(afterSeq, publishedSeq);
    }
    const select = (message: unknown): readonly PublishedEvent[] => ofType(type, message);
    const subscription = new FeedSubscription(afterSeq ?? publishedSeq, this.sourceOf(filter), select);
    const channel = userId === null ? tenantChannel(tenantId) : userChannel(tenantId, userId);
    const leave = await this.bus.listen(channel, subscription);
    this.remember(subscription, tenantId);
    subscription.whenEnded(() => {
      leave();
      this.forget(subscription);
    });
    return subscription;
  }

  private sourceOf(filter: FeedFilter): FeedSource {
    const { tenantId, userId } = filter;
    const caller: Caller =
      userId === null ? { tenantId, kind: 'STAFF', id: '' } : { tenantId, kind: 'USER', id: userId };
    return {
      position: async () => this.reader.position(tenantId),
      read: async (after, upTo) => {
        const leave = await this.pages.enter(caller);
        return this.reader.read(filter, after, upTo).finally(leave);
      },
      turn: async () => this.turns.next(caller),
    };
  }

  private remember(subscription: FeedSubscription, tenantId: string): void {
    this.subscriptions.set(subscription, tenantId);
    const everyMs = this.options.advanceEveryMs ?? ADVANCE_EVERY_MS;
    this.advancing ??= setInterval(() => void this.advance(), everyMs).unref();
  }

  private forget(subscription: FeedSubscription): void {
    this.subscriptions.delete(subscription);
    if (this.subscriptions.size > 0 || this.advancing === null) return;
    clearInterval(this.advancing);
    this.advancing = null;
  }

  /**
   * Users hear their own events alone, and so do not know how far the tenant has come. What was published before
   * the bus is asked has been heard by all who listen, or was not for them.
   */
  private async advance(): Promise<void> {
    const tenantIds = [...new Set(this.subscriptions.values())];
    const reading = tenantIds.map(
      async (tenantId) => [tenantId, await this.reader.position(tenantId)] as const,
    );
    // Without an answer everybody stays where they are.
    const positions = new Map(await Promise.all(reading).catch(() => []));
    if (!(await this.bus.hasCaughtUp())) return;
    for (const [subscription, tenantId] of this.subscriptions) {
      subscription.advanceTo(positions.get(tenantId)?.publishedSeq ?? 0);
    }
  }
}

/** What a message holds, by type: read once for all who listen, however long each of them keeps it. */
const readMessages = new WeakMap<object, ReadonlyMap<string, readonly PublishedEvent[]>>();

function ofType(type: string, message: unknown): readonly PublishedEvent[] {
  const wire = message as readonly WireEvent[];
  let read = readMessages.get(wire);
  if (read === undefined) {
    const events = wire.map((event) => ({ ...event, createdAt: new Date(event.createdAt) }));
    read = Map.groupBy(events, (event) => event.type);
    readMessages.set(wire, read);
  }
  return read.get(type) ?? [];
}
