import { LRUCache } from 'lru-cache';
import { systemClock } from '../clock.js';
import type { Logger } from '../observability/log.js';
import type { EventConsumer } from '../outbox/event-consumers.js';
import type { EventLog } from '../outbox/event-log.js';
import type { PublishedEvent } from '../outbox/published-event.js';
import { FairGate, type GateLimits } from '../scheduling/fair-gate.js';
import type { Caller } from '../scheduling/fair-queue.js';
import { expiredCursor } from './feed-cursor.js';

/** A part of a tenant's events, in order. */
export interface FeedPage {
  readonly events: readonly PublishedEvent[];
  /** Nothing up to here is left out. */
  readonly upToSeq: number;
}

/** Numbers that one page spans at most. Pages begin at multiples of it, so that many who catch up share them. */
const PAGE_SPAN = 100;
/** New events that are read at once for all who listen. */
const LIVE_SPAN = 500;
const PAGES_KEPT = 64;
const PAGE_TTL_MS = 10_000;
/** Older events were handled long ago, and nothing is cached for longer. */
const FRESH_MS = 5 * 60_000;

/** Those who wait hold nothing but their place. */
const LINES = {
  waiting: 100_000,
  waitingPerTenant: 50_000,
  waitingPerCaller: { STAFF: 10_000, PARTNER: 10_000, USER: 10_000, NODE: 10_000, ADDRESS: 0 },
  waitMsMax: 60_000,
} as const satisfies Omit<GateLimits, 'atOnce'>;

interface Bounds {
  readonly tenantId: string;
  readonly afterSeq: number;
  readonly upToSeq: number;
}

/** Reads the log for subscribers, each page once for all of a process who want it. */
export class FeedPages {
  /** One at a time for a tenant. */
  private readonly catchUps: FairGate;
  /** New events do not wait for those who catch up, nor, with two places, for another tenant whose read takes long. */
  private readonly live: FairGate;
  /** What is committed never changes, so a page is right for as long as its events are kept. */
  private readonly pages = new LRUCache<string, readonly PublishedEvent[], Bounds>({
    max: PAGES_KEPT,
    ttl: PAGE_TTL_MS,
    fetchMethod: async (_key, _stale, { context }) => this.load(context),
  });
  /** Consumers whose work comes before an event is handed on. */
  beforePush: readonly EventConsumer[] = [];

  /** @param readsAtOnce for those who catch up, and as many for new events: each read needs a connection */
  constructor(
    private readonly eventLog: EventLog,
    private readonly log: Logger,
    readsAtOnce: number,
  ) {
    this.catchUps = new FairGate({ atOnce: readsAtOnce, ...LINES });
    this.live = new FairGate({ atOnce: readsAtOnce, ...LINES });
  }

  /**
   * For one who catches up: the next events behind `afterSeq`, and none behind `upToSeq`.
   * @throws CursorError CURSOR_EXPIRED when one of them is no longer kept
   * @throws StoreUnavailableError
   */
  async next(caller: Caller, afterSeq: number, upToSeq: number): Promise<FeedPage> {
    const { tenantId } = caller;
    const startSeq = afterSeq - (afterSeq % PAGE_SPAN);
    const endSeq = Math.min(startSeq + PAGE_SPAN, upToSeq);
    const context = { tenantId, afterSeq: startSeq, upToSeq: endSeq };
    const leave = await this.catchUps.enter(caller);
    const reading = this.pages.forceFetch([tenantId, startSeq, endSeq].join(':'), { context });
    const shared = await reading.finally(leave);
    return complete(
      shared.filter(({ seq }) => seq > afterSeq),
      afterSeq,
      endSeq,
    );
  }

  /** For all who listen to a tenant. @throws as {@link next} */
  async newest(tenantId: string, afterSeq: number, upToSeq: number): Promise<FeedPage> {
    const endSeq = Math.min(afterSeq + LIVE_SPAN, upToSeq);
    const leave = await this.live.enter({ tenantId, kind: 'STAFF', id: '' });
    const events = await this.load({ tenantId, afterSeq, upToSeq: endSeq }).finally(leave);
    return complete(events, afterSeq, endSeq);
  }

  private async load({ tenantId, afterSeq, upToSeq }: Bounds): Promise<readonly PublishedEvent[]> {
    const events = await this.eventLog.read(tenantId, afterSeq, upToSeq);
    const since = systemClock.nowMs() - FRESH_MS;
    for (const { types, handle } of this.beforePush) {
      const fresh = events.filter(
        ({ type, createdAt }) => types.includes(type) && createdAt.getTime() > since,
      );
      if (fresh.length === 0) continue;
      // The consumer itself tries again until it succeeds.
      await handle(tenantId, fresh).catch((error: unknown) =>
        this.log.warn(
          { err: error, tenantId },
          'events are handed on before their consumer has handled them',
        ),
      );
    }
    return events;
  }
}

/** Events are deleted from the low end, so one that is missing was too old. */
function complete(events: readonly PublishedEvent[], afterSeq: number, upToSeq: number): FeedPage {
  if (events.length !== upToSeq - afterSeq) throw expiredCursor();
  return { events, upToSeq };
}
