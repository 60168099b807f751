import type { Logger } from '../observability/log.js';
import { RareWarning } from '../observability/rare-warning.js';
import type { EventConsumer } from '../outbox/event-consumers.js';
import type { EventLog } from '../outbox/event-log.js';
import type { Caller } from '../scheduling/fair-queue.js';
import { LoopTurns } from '../scheduling/loop-turns.js';
import { CatchUpRace } from './catch-up-race.js';
import { requireKnown, requireWithinReach } from './feed-cursor.js';
import { FeedPages } from './feed-pages.js';
import { FeedSubscription, type FeedFilter, type FeedSource } from './feed-subscription.js';
import { TenantTail } from './tenant-tail.js';

/** Two looks make up for a lost doorbell. */
const POLL_EVERY_MS = 500;
/** Between slices of those who catch up, while redemptions need the machine: 5,000 events a second for all of them. */
const CATCH_UP_PACE_MS = 2;
const READS_AT_ONCE = 2;

export interface EventFeedOptions {
  /** While true those who catch up are paced, where they come nearer all the same. */
  readonly isPressed?: () => boolean;
  /** Connections for those who catch up; new events have as many of their own. */
  readonly readsAtOnce?: number;
  readonly pollEveryMs?: number;
}

/** Hands committed events to the subscribers of this process, live or from a cursor on. */
export class EventFeed {
  private readonly pages: FeedPages;
  private readonly unread: RareWarning;
  private readonly tails = new Map<string, { readonly tail: TenantTail; members: Set<FeedSubscription> }>();
  private polling: NodeJS.Timeout | null = null;
  /** Never paced: subscribers must keep up with redemptions, at any rate. */
  private readonly liveTurns = new LoopTurns();
  private readonly catchUpTurns: LoopTurns;

  constructor(
    private readonly eventLog: EventLog,
    log: Logger,
    private readonly options: EventFeedOptions = {},
  ) {
    this.pages = new FeedPages(eventLog, log, options.readsAtOnce ?? READS_AT_ONCE);
    this.catchUpTurns = new LoopTurns(options.isPressed, CATCH_UP_PACE_MS);
    this.unread = new RareWarning(log, 'new events could not be read; their subscribers wait');
  }

  /** Those of the consumers that are to run before subscribers are given an event. */
  prepareWith(consumers: readonly EventConsumer[]): void {
    this.pages.beforePush = consumers.filter(({ isBeforePush = false }) => isBeforePush);
  }

  /** The tenant has events up to here, and their commit was answered. */
  heard(tenantId: string, seq: number): void {
    this.tails.get(tenantId)?.tail.raise(seq);
  }

  /** The number of the tenant's last event; 0 before the first. @throws StoreUnavailableError */
  async lastSeq(tenantId: string): Promise<number> {
    return this.eventLog.lastSeq(tenantId);
  }

  /**
   * From the event behind `afterSeq` on; without it, every event that is committed after this resolves.
   * @throws CursorError when the cursor cannot be served; the iterator may throw it later
   * @throws StoreUnavailableError
   */
  async subscribe(filter: FeedFilter, afterSeq: number | null = null): Promise<FeedSubscription> {
    const { tenantId } = filter;
    const lastSeq = await this.eventLog.lastSeq(tenantId);
    if (afterSeq !== null) {
      requireKnown(afterSeq, lastSeq);
      requireWithinReach(afterSeq, lastSeq);
    }
    const { tail, members } = this.tailOf(tenantId, lastSeq);
    const subscription = new FeedSubscription(filter, afterSeq ?? lastSeq, this.sourceOf(filter, tail));
    members.add(subscription);
    subscription.whenEnded(() => {
      tail.leave(subscription);
      members.delete(subscription);
      if (members.size === 0) this.forget(tenantId);
    });
    return subscription;
  }

  /** Ends everybody who listens in this process. */
  close(): void {
    for (const { members } of this.tails.values()) for (const member of members) member.end();
  }

  private sourceOf({ tenantId, userId }: FeedFilter, tail: TenantTail): FeedSource {
    const caller: Caller =
      userId === null ? { tenantId, kind: 'STAFF', id: '' } : { tenantId, kind: 'USER', id: userId };
    const race = new CatchUpRace(tail);
    return {
      join: (subscription, receivedSeq) => {
        const isLive = tail.join(subscription, receivedSeq);
        if (isLive) race.end();
        return isLive;
      },
      read: async (afterSeq) => {
        requireWithinReach(afterSeq, tail.joinSeq);
        race.beginPage(afterSeq);
        return this.pages.next(caller, afterSeq, tail.joinSeq);
      },
      turn: async (isLive) => (isLive || race.isLosing() ? this.liveTurns : this.catchUpTurns).next(caller),
    };
  }

  private tailOf(tenantId: string, lastSeq: number) {
    let kept = this.tails.get(tenantId);
    if (kept === undefined) {
      const read = async (afterSeq: number, upToSeq: number) =>
        this.pages.newest(tenantId, afterSeq, upToSeq);
      kept = { tail: new TenantTail(lastSeq, read, this.unread), members: new Set() };
      this.tails.set(tenantId, kept);
      this.polling ??= setInterval(() => void this.poll(), this.options.pollEveryMs ?? POLL_EVERY_MS).unref();
    }
    return kept;
  }

  private forget(tenantId: string): void {
    this.tails.delete(tenantId);
    if (this.tails.size > 0 || this.polling === null) return;
    clearInterval(this.polling);
    this.polling = null;
  }

  /** One read of the counters of all tenants with subscribers. */
  private async poll(): Promise<void> {
    const look = async ([tenantId, { tail }]: [string, { readonly tail: TenantTail }]): Promise<void> =>
      tail.look(await this.eventLog.lastSeq(tenantId));
    await Promise.all([...this.tails].map(look)).catch((error: unknown) => this.unread.warn({ err: error }));
  }
}
