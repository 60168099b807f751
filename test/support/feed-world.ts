import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';
import type { MikroORM } from '@mikro-orm/core';
import { entities } from '../../src/app/modules.js';
import { systemClock } from '../../src/platform/clock.js';
import { createLog } from '../../src/platform/observability/log.js';
import { connectOrm, systemEm } from '../../src/platform/database/orm.js';
import { Transactions } from '../../src/platform/database/transaction.js';
import { EventLog } from '../../src/platform/outbox/event-log.js';
import { Outbox } from '../../src/platform/outbox/outbox.js';
import type { PublishedEvent } from '../../src/platform/outbox/published-event.js';
import { Doorbell } from '../../src/platform/push/doorbell.js';
import { EventFeed, type EventFeedOptions } from '../../src/platform/push/event-feed.js';
import { connectRedis, connectRedisListener, type Redis } from '../../src/platform/redis/redis.js';
import { createScratchDatabase } from './scratch-database.js';

export const SETTLED = 'redemption_settled';

/** Reads as the product does, and lets a test do something at each step. */
export class WatchedLog extends EventLog {
  /** Runs before each look at the counter. */
  beforeLook: () => Promise<void> = async () => Promise.resolve();
  /** Runs after each look at the counter. */
  afterLook: () => Promise<void> = async () => Promise.resolve();
  /** Runs after each page. */
  afterPage: () => Promise<void> = async () => Promise.resolve();
  pageCount = 0;

  override async lastSeq(tenantId: string) {
    await this.beforeLook();
    const seq = await super.lastSeq(tenantId);
    await this.afterLook();
    return seq;
  }

  override async read(tenantId: string, afterSeq: number, upToSeq: number) {
    const events = await super.read(tenantId, afterSeq, upToSeq);
    this.pageCount += 1;
    await this.afterPage();
    return events;
  }
}

/** A process that listens. */
export interface FeedProcess {
  readonly feed: EventFeed;
  readonly eventLog: WatchedLog;
  readonly redis: Redis;
  readonly listener: Redis;
}

/** Processes on a private database, and one that only writes. */
export interface FeedWorld {
  readonly orm: MikroORM;
  readonly databaseUrl: string;
  readonly transactions: Transactions;
  /** Of the process that writes. */
  readonly outbox: Outbox;
  newProcess(options?: EventFeedOptions): Promise<FeedProcess>;
  /** Commits this many events of a user. */
  commit(tenantId: string, userId: string | null, count: number, type?: string): Promise<void>;
  /** The same, without a doorbell. */
  commitSilently(tenantId: string, userId: string | null, count: number): Promise<void>;
  /** As the retention of old events does it. */
  forget(tenantId: string, upToSeq: number): Promise<void>;
  close(): Promise<void>;
}

export const newTenant = (): string => `T_${randomBytes(6).toString('hex')}`;

export async function openFeedWorld(): Promise<FeedWorld> {
  const log = createLog({ level: 'silent' });
  const scratch = await createScratchDatabase();
  const orm = await connectOrm({ databaseUrl: scratch.databaseUrl, poolSize: 10, entities });
  const transactions = new Transactions(orm);
  const opened: { close(): void }[] = [];

  const connect = async () => {
    const redis = connectRedis(inject('redisUrl'), 5000);
    const listener = connectRedisListener(inject('redisUrl'));
    const doorbell = new Doorbell(redis, listener);
    await doorbell.listen();
    opened.push({
      close: () => {
        redis.disconnect();
        listener.disconnect();
      },
    });
    return { redis, listener, doorbell };
  };
  const newProcess = async (options: EventFeedOptions = {}): Promise<FeedProcess> => {
    const { redis, listener, doorbell } = await connect();
    const eventLog = new WatchedLog(orm, 5000);
    const feed = new EventFeed(eventLog, log, options);
    doorbell.onRing((tenantId, seq) => feed.heard(tenantId, seq));
    opened.push(feed);
    return { feed, eventLog, redis, listener };
  };
  const { doorbell } = await connect();
  const outbox = new Outbox(systemClock, (tenantId, seq) => doorbell.ring(tenantId, seq));
  const silent = new Outbox(systemClock, () => undefined);
  const commitBy = async (by: Outbox, tenantId: string, userId: string | null, count: number, type: string) =>
    transactions.run(tenantId, async (em) => {
      const drafts = Array.from({ length: count }, () => ({ type, userId, payload: { of: userId } }));
      by.append(em, tenantId, drafts);
      return Promise.resolve();
    });

  return {
    orm,
    databaseUrl: scratch.databaseUrl,
    transactions,
    outbox,
    newProcess,
    commit: async (tenantId, userId, count, type = SETTLED) =>
      commitBy(outbox, tenantId, userId, count, type),
    commitSilently: async (tenantId, userId, count) => commitBy(silent, tenantId, userId, count, SETTLED),
    forget: async (tenantId, upToSeq) => {
      const sql = 'delete from outbox_event where tenant_id = ? and seq <= ?';
      await systemEm(orm).execute(sql, [tenantId, upToSeq]);
    },
    close: async () => {
      for (const each of opened.toReversed()) each.close();
      await orm.close(true);
      await scratch.drop();
    },
  };
}

/** Takes events as they come, and records their numbers; also an error at the end. */
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
