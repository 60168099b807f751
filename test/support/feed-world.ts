import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';
import type { MikroORM } from '@mikro-orm/core';
import { entities } from '../../src/app/modules.js';
import { systemClock } from '../../src/platform/clock.js';
import { IdGenerator } from '../../src/platform/ids.js';
import { createLog } from '../../src/platform/observability/log.js';
import { connectOrm, systemEm } from '../../src/platform/database/orm.js';
import { Transactions } from '../../src/platform/database/transaction.js';
import { EventFeed, type EventFeedOptions } from '../../src/platform/outbox/event-feed.js';
import { Outbox } from '../../src/platform/outbox/outbox.js';
import { OutboxReader, type FeedFilter, type FeedPage } from '../../src/platform/outbox/outbox-reader.js';
import { OutboxStore } from '../../src/platform/outbox/outbox-store.js';
import type { PublishedEvent } from '../../src/platform/outbox/published-event.js';
import { EventBus } from '../../src/platform/push/event-bus.js';
import { connectRedis, connectRedisListener, type Redis } from '../../src/platform/redis/redis.js';
import { createScratchDatabase } from './scratch-database.js';

export const SETTLED = 'redemption_settled';

/** Reads as the product does, and lets a test do something at each step. */
export class WatchedReader extends OutboxReader {
  /** Runs before and after each look at the counter. */
  aroundPosition: (when: 'before' | 'after') => Promise<void> = async () => Promise.resolve();
  /** Runs after each page. */
  afterPage: (page: FeedPage) => Promise<void> = async () => Promise.resolve();
  pageCount = 0;

  override async position(tenantId: string) {
    await this.aroundPosition('before');
    const position = await super.position(tenantId);
    await this.aroundPosition('after');
    return position;
  }

  override async read(filter: FeedFilter, afterSeq: number, upToSeq: number) {
    const page = await super.read(filter, afterSeq, upToSeq);
    this.pageCount += 1;
    await this.afterPage(page);
    return page;
  }
}

/** A process that listens. */
export interface FeedProcess {
  readonly feed: EventFeed;
  readonly reader: WatchedReader;
  readonly redis: Redis;
  readonly listener: Redis;
}

/** Processes on a database of their own, and a relay whose steps are taken one by one. */
export interface FeedWorld {
  readonly orm: MikroORM;
  newProcess(options?: EventFeedOptions): FeedProcess;
  /** Commits so many events of a user, each with its number in the payload. */
  commit(tenantId: string, userId: string | null, count: number, type?: string): Promise<void>;
  number(tenantId: string): Promise<readonly PublishedEvent[]>;
  publish(events: readonly PublishedEvent[]): Promise<void>;
  mark(events: readonly PublishedEvent[]): Promise<void>;
  /** All steps for all that is committed. */
  relay(tenantId: string): Promise<void>;
  /** As the retention of old events does it. */
  forget(tenantId: string, upToSeq: number): Promise<void>;
  close(): Promise<void>;
}

export const newTenant = (): string => `T_${randomBytes(6).toString('hex')}`;

export async function openFeedWorld(): Promise<FeedWorld> {
  const log = createLog({ level: 'silent' });
  const scratch = await createScratchDatabase(inject('databaseUrl'));
  const orm = await connectOrm({ databaseUrl: scratch.databaseUrl, poolSize: 10, entities });
  const transactions = new Transactions(orm);
  const ids = new IdGenerator(systemClock, () => ({ nodeNo: 1, validUntilMs: Number.MAX_SAFE_INTEGER }));
  const outbox = new Outbox(ids, systemClock);
  const store = new OutboxStore(orm, transactions);
  const opened: { bus: EventBus; redis: Redis; listener: Redis }[] = [];

  const newProcess = (options: EventFeedOptions = {}): FeedProcess => {
    const redis = connectRedis(inject('redisUrl'), 1000);
    const listener = connectRedisListener(inject('redisUrl'));
    const bus = new EventBus(redis, listener, log);
    const reader = new WatchedReader(orm, 5000);
    opened.push({ bus, redis, listener });
    return { feed: new EventFeed(bus, reader, options), reader, redis, listener };
  };
  const publisher = newProcess();
  let relaying: Promise<void> = Promise.resolve();
  const publish = async (events: readonly PublishedEvent[]): Promise<void> => publisher.feed.publish(events);
  const mark = async (events: readonly PublishedEvent[]): Promise<void> =>
    store.markPublished(events[0]?.tenantId ?? '', events.at(-1)?.seq ?? 0);
  const number = async (tenantId: string) => (await store.number(tenantId)).events;

  const relayAll = async (tenantId: string): Promise<void> => {
    for (;;) {
      const events = await number(tenantId);
      if (events.length === 0) return;
      await publish(events);
      await mark(events);
    }
  };

  return {
    orm,
    newProcess,
    number,
    publish,
    mark,
    commit: async (tenantId, userId, count, type = SETTLED) =>
      transactions.run(tenantId, async (em) => {
        const drafts = Array.from({ length: count }, () => ({ type, userId, payload: { of: userId } }));
        await outbox.append(em, tenantId, drafts);
      }),
    relay: async (tenantId) => {
      // Only one relay works at a time, as the named lock of the real one sees to.
      relaying = relaying.then(async () => relayAll(tenantId));
      await relaying;
    },
    forget: async (tenantId, upToSeq) => {
      const sql = 'delete from outbox_event where tenant_id = ? and seq <= ?';
      await systemEm(orm).execute(sql, [tenantId, upToSeq]);
    },
    close: async () => {
      for (const { bus, redis, listener } of opened) {
        bus.close();
        redis.disconnect();
        listener.disconnect();
      }
      await orm.close(true);
      await scratch.drop();
    },
  };
}

/** Takes events as they come, and writes down their numbers; an error at the end is written down too. */
export function collect(events: AsyncIterable<PublishedEvent>): {
  readonly seqs: number[];
  readonly error: { code?: string } | null;
} {
  const heard: { seqs: number[]; error: { code?: string } | null } = { seqs: [], error: null };
  void (async () => {
    try {
      for await (const event of events) heard.seqs.push(event.seq);
    } catch (error) {
      heard.error = error as { code?: string };
    }
  })();
  return heard;
}

/** From, from + 1 … to. */
export const span = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);
