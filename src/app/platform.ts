import type { Config } from '../config.js';
import type { PepperKey } from '../codes/code-digester.js';
import { systemClock } from '../platform/clock.js';
import { Transactions } from '../platform/database/transaction.js';
import { IdGenerator } from '../platform/ids.js';
import type { Logger } from '../platform/observability/log.js';
import { createMetrics } from '../platform/observability/metrics.js';
import { EventFeed } from '../platform/outbox/event-feed.js';
import { Outbox } from '../platform/outbox/outbox.js';
import { OutboxReader } from '../platform/outbox/outbox-reader.js';
import { OutboxRelay } from '../platform/outbox/outbox-relay.js';
import { OutboxRetention } from '../platform/outbox/outbox-retention.js';
import { OutboxStore } from '../platform/outbox/outbox-store.js';
import { OutboxWake } from '../platform/outbox/outbox-wake.js';
import { EventBus } from '../platform/push/event-bus.js';
import { sharedAnswer } from '../platform/scheduling/shared-answer.js';
import { within } from '../platform/scheduling/timeout.js';
import { WorkShares } from '../transport/work-shares.js';
import type { Stores } from './stores.js';

/** What the services need from the configuration; secrets are settled by now. */
export interface AppSettings {
  readonly config: Config;
  readonly jwtSecret: string;
  /** The peppers that codes are looked up by, the current one first. */
  readonly codePeppers: readonly PepperKey[];
}

/** What every module may need: connections, settings, and the services of the platform. */
export type Platform = ReturnType<typeof composePlatform>;

export function composePlatform(stores: Stores, settings: AppSettings, log: Logger) {
  const { config } = settings;
  const { orm, readOrm, commitOrm, redis, redisUrl } = stores;
  const clock = systemClock;
  const ids = new IdGenerator(clock, () => stores.node.lease());
  const transactions = new Transactions(orm, { log });
  return {
    ...settings,
    orm,
    readOrm,
    commitOrm,
    redis,
    redisUrl,
    log,
    clock,
    ids,
    transactions,
    shares: new WorkShares({
      // Two connections are left to those who catch up with events.
      reads: config.READ_POOL_SIZE - 2,
      // Changes share theirs with redemptions.
      writes: Math.floor(config.DATABASE_POOL_SIZE / 2),
    }),
    outbox: new Outbox(ids, clock),
    ...composeEvents(stores, config, transactions, log),
  };
}

function composeEvents(stores: Stores, config: Config, transactions: Transactions, log: Logger) {
  const { orm, readOrm, redis, listener } = stores;
  const outboxStore = new OutboxStore(readOrm, transactions);
  // A count that outlasts the wait of a scrape is waited for by the next ones, not begun again.
  const countPending = sharedAnswer(async () => outboxStore.countPending());
  const metrics = createMetrics({
    withProcess: true,
    countOutboxPending: async () => within(config.STORE_TIMEOUT_MS, 'database', countPending()),
  });
  const bus = new EventBus(redis, listener, log);
  const feed = new EventFeed(bus, new OutboxReader(readOrm, config.STORE_TIMEOUT_MS));
  const relay = new OutboxRelay({ orm, log, publish: async (events) => feed.publish(events), metrics });
  const wake = new OutboxWake(redis, listener, relay);
  const outboxRetention = new OutboxRetention(orm, config.OUTBOX_RETENTION_DAYS);
  return { metrics, bus, feed, relay, wake, outboxRetention };
}
