import type { MikroORM } from '@mikro-orm/core';
import { eachOf } from '../scheduling/each-of.js';
import type { Logger } from '../observability/log.js';
import type { Metrics } from '../observability/metrics.js';
import { resultWithin } from '../scheduling/timeout.js';
import { NamedLock } from '../database/named-lock.js';
import { Transactions } from '../database/transaction.js';
import { OUTBOX_BATCH_MAX, OutboxStore } from './outbox-store.js';
import type { PublishedEvent } from './published-event.js';
import { WakeSignal } from './wake-signal.js';

const POLL_EVERY_MS = 1000;
/** After a wake-up, more is about to come: events of one moment go out as one batch. */
const LINGER_MS = 5;
/** Under load a round waits a little longer, and one transaction numbers the events of several commits. */
const BUSY_LINGER_MS = 100;
const BUSY_EVENTS = 40;
const TENANTS_AT_ONCE = 4;
/** How long the others wait for a tenant. */
const TURN_MS = 250;
/** Tenants that may take longer at once; with more the others wait, because each takes a connection. */
const SLOW_MAX = 6;

/** Gets events of one tenant and one type, in order of `seq`. At least once: a failure brings all of them again. */
export type EventHandler = (events: readonly PublishedEvent[]) => Promise<void>;

export interface OutboxRelayParts {
  readonly orm: MikroORM;
  readonly log: Logger;
  /** Hands events of one tenant to the subscribers, in order of `seq`; called again with the same ones after a failure. */
  readonly publish: (events: readonly PublishedEvent[]) => Promise<void>;
  readonly metrics?: Pick<Metrics, 'outboxPublished'>;
}

/**
 * Publishes what transactions have written to the outbox. Of all relays only the holder of a named lock works, so
 * that the order of publication is the order of `seq`. Numbers are committed first, then events are handed on, then
 * that is noted; whoever takes over begins at the note, so an event comes twice rather than never. A handler or
 * publisher that fails holds up its tenant until it succeeds; numbering goes on, so cursors never wait for it.
 */
export class OutboxRelay {
  private readonly store: OutboxStore;
  private readonly lock: NamedLock;
  private readonly handlers = new Map<string, EventHandler[]>();
  private readonly signal = new WakeSignal();
  private running: Promise<void> | null = null;
  private stopped = false;
  private holdsLock = false;
  /** By the clock that only goes forward: a wall clock that is set back would put off the poll. */
  private nextPollMs = 0;
  private eventsInRound = 0;
  /** A tenant had more than one batch holds. */
  private isBehind = false;
  /** Tenants whose publication failed; tried again at the next poll, not at every wake-up. */
  private readonly stalled = new Set<string>();
  /** Tenants whose turn is not over, also those that are no longer waited for. */
  private readonly atWork = new Map<string, Promise<void>>();

  constructor(private readonly parts: OutboxRelayParts) {
    this.store = new OutboxStore(parts.orm, new Transactions(parts.orm, { log: parts.log }));
    this.lock = new NamedLock(parts.orm, 'outbox_relay');
  }

  /** Runs before events of the type are published. Register before {@link start}. */
  onEvent(type: string, handler: EventHandler): void {
    this.handlers.set(type, [...(this.handlers.get(type) ?? []), handler]);
  }

  start(): void {
    this.running ??= this.loop();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.signal.raise();
    await this.running;
    await Promise.all(this.atWork.values());
    await this.lock.release();
  }

  /**
   * Something was committed for this tenant; call it after the commit. Answers whether this relay is the active one;
   * if not, tell the others (`outbox-wake.ts`).
   */
  wake(tenantId: string): boolean {
    if (!this.holdsLock) return false;
    this.signal.raise(tenantId);
    return true;
  }

  private async loop(): Promise<void> {
    while (!this.stopped) {
      try {
        this.holdsLock = (await this.lock.held()) || (await this.lock.tryTake());
        if (this.holdsLock) await this.round();
      } catch (error) {
        this.parts.log.warn({ err: error }, 'outbox relay failed, trying again');
        this.holdsLock = false;
      }
      await this.rest();
    }
    this.holdsLock = false;
  }

  private async rest(): Promise<void> {
    if (this.stopped) return;
    if (!this.holdsLock) {
      // Whoever takes the lock looks for everything that is pending, so what was raised before is of no use.
      this.nextPollMs = 0;
      this.signal.take();
      await this.signal.wait(POLL_EVERY_MS, LINGER_MS);
      return;
    }
    const isBusy = this.eventsInRound >= BUSY_EVENTS && !this.isBehind;
    const lingerMs = isBusy ? BUSY_LINGER_MS : LINGER_MS;
    this.eventsInRound = 0;
    this.isBehind = false;
    await this.signal.wait(Math.max(0, this.nextPollMs - performance.now()), lingerMs);
  }

  private async round(): Promise<void> {
    const nowMs = performance.now();
    let tenantIds = this.signal.take().filter((tenantId) => !this.stalled.has(tenantId));
    if (nowMs >= this.nextPollMs) {
      this.nextPollMs = nowMs + POLL_EVERY_MS;
      this.stalled.clear();
      tenantIds = await this.poll();
    }
    const free = tenantIds.filter((tenantId) => !this.atWork.has(tenantId));
    await eachOf(free, TENANTS_AT_ONCE, async (tenantId) => this.giveTurn(tenantId));
  }

  /** A tenant whose rows are locked, or whose handlers hang, goes on by itself: the others do not wait for it. */
  private async giveTurn(tenantId: string): Promise<void> {
    const work = this.relayTenant(tenantId).finally(() => this.atWork.delete(tenantId));
    this.atWork.set(tenantId, work);
    if (this.atWork.size > SLOW_MAX) await work;
    else await resultWithin(TURN_MS, work);
  }

  private async poll(): Promise<string[]> {
    const pending = await this.store.tenantsToNumber();
    const behind = await this.store.tenantsBehind();
    return [...new Set([...behind, ...pending])];
  }

  /** One batch; a tenant with more gets its turn again after the others. */
  private async relayTenant(tenantId: string): Promise<void> {
    try {
      const { events, publishedSeq } = await this.store.number(tenantId);
      this.eventsInRound += events.length;
      const first = events[0];
      const inOrder = first !== undefined && first.seq === publishedSeq + 1;
      const due = inOrder ? events : await this.store.unpublished(tenantId);
      if (due.length > 0) await this.publish(tenantId, due);
      if (events.length === OUTBOX_BATCH_MAX || due.length === OUTBOX_BATCH_MAX) {
        this.isBehind = true;
        this.signal.raise(tenantId);
      }
    } catch (error) {
      this.stalled.add(tenantId);
      this.parts.log.error({ err: error, tenantId }, 'events could not be published, trying again');
    }
  }

  private async publish(tenantId: string, events: readonly PublishedEvent[]): Promise<void> {
    for (const [type, handlers] of this.handlers) {
      const concerned = events.filter((event) => event.type === type);
      if (concerned.length === 0) continue;
      for (const handle of handlers) await handle(concerned);
    }
    await this.parts.publish(events);
    await this.store.markPublished(tenantId, events.at(-1)?.seq ?? 0);
    this.parts.metrics?.outboxPublished.inc(events.length);
  }
}
