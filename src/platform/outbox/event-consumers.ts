import type { MikroORM } from '@mikro-orm/core';
import { eachOf } from '../scheduling/each-of.js';
import type { Logger } from '../observability/log.js';
import type { Metrics } from '../observability/metrics.js';
import { resultWithin } from '../scheduling/timeout.js';
import type { Fence } from '../leases/fence.js';
import type { PartitionLeases } from '../leases/partition-leases.js';
import { ConsumerCursors } from './consumer-cursors.js';
import type { EventLog } from './event-log.js';
import type { PublishedEvent } from './published-event.js';
import { WakeSignal } from './wake-signal.js';

const POLL_EVERY_MS = 1000;
/** How long doorbells are collected. The committing process has done most of what consumers do, so it may be long. */
const LINGER_MS = 200;
/** Events that one call of a consumer gets at most. */
const BATCH_MAX = 500;
/** Numbers that one look spans: it must not read a long log for the few events that a consumer wants. */
const SPAN = 10_000;
/** Calls of one turn; what is left is for the next round, so that a tenant with a long log keeps none of the turns. */
const CALLS_MAX = 20;
const AT_ONCE = 4;
/** How long the others wait for a consumer of a tenant. */
const TURN_MS = 250;
/** Consumers of tenants that may take longer at once; with more the others wait, because each takes a connection. */
const SLOW_MAX = 6;
/** Failed turns that a poll tries again; twice as many each time that all of them succeed. */
const AGAIN_MIN = 8;

/** Does something for each event of some types, in another process than the one that has committed it. */
export interface EventConsumer {
  /** Of its cursor; never changes. */
  readonly name: string;
  readonly types: readonly string[];
  /**
   * Gets events of one tenant in order. At least once: a failure brings all of them again.
   * @param fence for writes to the database that must not be made again; absent before a push, which holds no lease
   */
  readonly handle: (tenantId: string, events: readonly PublishedEvent[], fence?: Fence) => Promise<void>;
  /** Also done before subscribers are given an event: they read again what it drops from caches. */
  readonly isBeforePush?: boolean;
}

export interface EventConsumerParts {
  readonly orm: MikroORM;
  readonly eventLog: EventLog;
  /** Which tenants are this process'. */
  readonly leases: PartitionLeases;
  readonly log: Logger;
  readonly metrics?: Pick<Metrics, 'eventsConsumed'>;
}

/** A consumer and a tenant. */
interface Turn {
  readonly key: string;
  readonly tenantId: string;
  readonly consumer: EventConsumer;
}

/**
 * Runs the consumers of events, each with a cursor of its own in each tenant's log. Each worker does so for its
 * partitions of the tenants. A cursor moves when its events are handled, so the next holder begins there, and an event
 * comes twice rather than never. A consumer that fails or hangs holds up itself in that tenant, and nothing else.
 */
export class EventConsumers {
  private readonly cursors: ConsumerCursors;
  private readonly signal = new WakeSignal();
  private running: Promise<void> | null = null;
  private stopped = false;
  /** By the clock that only goes forward: a wall clock that is set back would put off the poll. */
  private nextPollMs = 0;
  /** Turns that failed; tried again at the next poll, not at every doorbell, and behind all others. */
  private readonly failed = new Set<string>();
  private triesAgain = AGAIN_MIN;
  /** Turns that are not over, also those that are no longer waited for. */
  private readonly atWork = new Map<string, Promise<void>>();

  constructor(
    private readonly consumers: readonly EventConsumer[],
    private readonly parts: EventConsumerParts,
  ) {
    this.cursors = new ConsumerCursors(
      parts.orm,
      consumers.map(({ name }) => name),
    );
  }

  start(): void {
    this.running ??= this.loop();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.signal.raise();
    await this.running;
    await Promise.all(this.atWork.values());
  }

  /** The tenant has new events. */
  heard(tenantId: string): void {
    if (this.parts.leases.holds(tenantId)) this.signal.raise(tenantId);
  }

  /** Tenants have come to this process: it begins with a look at everything that is due. */
  readonly tenantsCame = (): void => {
    this.nextPollMs = 0;
    this.signal.raise();
  };

  private async loop(): Promise<void> {
    while (!this.stopped) {
      try {
        await this.round();
      } catch (error) {
        this.parts.log.warn({ err: error }, 'event consumers failed, trying again');
      }
      if (this.stopped) break;
      await this.signal.wait(Math.max(0, this.nextPollMs - performance.now()), LINGER_MS);
    }
  }

  private async round(): Promise<void> {
    const nowMs = performance.now();
    let tenantIds = this.signal.take();
    let again = new Set<string>();
    if (nowMs >= this.nextPollMs) {
      this.nextPollMs = nowMs + POLL_EVERY_MS;
      again = this.triedAgain();
      tenantIds = await this.cursors.tenantsBehind();
    }
    const own = tenantIds.filter((tenantId) => this.parts.leases.holds(tenantId));
    const turns = own.flatMap((tenantId) =>
      this.consumers.map((consumer) => ({ key: `${tenantId} ${consumer.name}`, tenantId, consumer })),
    );
    const free = turns.filter(({ key }) => !this.atWork.has(key) && !this.failed.has(key));
    const inOrder = free.toSorted((a, b) => Number(again.has(a.key)) - Number(again.has(b.key)));
    await eachOf(inOrder, AT_ONCE, async (turn) => this.giveTurn(turn));
    const isBack = ![...again].some((key) => this.failed.has(key) || this.atWork.has(key));
    if (again.size > 0) this.triesAgain = isBack ? this.triesAgain * 2 : AGAIN_MIN;
  }

  /** A few of those that failed: where a master of a cluster is away, many tenants fail, each after a timeout. */
  private triedAgain(): Set<string> {
    const some = [...this.failed].slice(0, this.triesAgain);
    for (const key of some) this.failed.delete(key);
    return new Set(some);
  }

  private async giveTurn(turn: Turn): Promise<void> {
    const work = this.take(turn).finally(() => this.atWork.delete(turn.key));
    this.atWork.set(turn.key, work);
    if (this.atWork.size > SLOW_MAX) await work;
    else await resultWithin(TURN_MS, work);
  }

  private async take({ key, tenantId, consumer }: Turn): Promise<void> {
    const { leases } = this.parts;
    const next = async (): Promise<boolean | null> =>
      leases.whileHeld(tenantId, async (fence) => this.handleNext(tenantId, consumer, fence));
    try {
      for (let calls = 0; !this.stopped && (await next()) === true; calls += 1) {
        if (calls < CALLS_MAX) continue;
        this.signal.raise(tenantId);
        break;
      }
    } catch (error) {
      this.failed.add(key);
      const { name } = consumer;
      this.parts.log.error({ err: error, tenantId, consumer: name }, 'a consumer failed, trying again');
    }
  }

  /** @returns whether there may be more */
  private async handleNext(
    tenantId: string,
    { name, types, handle }: EventConsumer,
    fence: Fence,
  ): Promise<boolean> {
    const { seq, lastSeq, isStored } = await this.cursors.position(tenantId, name);
    if (seq >= lastSeq) {
      if (!isStored) await this.cursors.move(tenantId, name, seq, fence);
      return false;
    }
    const upToSeq = Math.min(seq + SPAN, lastSeq);
    const events = await this.parts.eventLog.next(tenantId, types, seq, upToSeq, BATCH_MAX);
    if (events.length > 0) await handle(tenantId, events, fence);
    const isFull = events.length === BATCH_MAX;
    // What is not among them is for others, or was deleted before this consumer was there.
    await this.cursors.move(tenantId, name, isFull ? (events.at(-1)?.seq ?? upToSeq) : upToSeq, fence);
    this.parts.metrics?.eventsConsumed.inc({ consumer: name }, events.length);
    return isFull || upToSeq < lastSeq;
  }
}
