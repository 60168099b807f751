import type { Config } from '../config.js';
import { AuditTrail } from '../audit/audit-trail.js';
import type { PepperKey } from '../codes/code-digester.js';
import { systemClock, type Clock } from '../platform/clock.js';
import { Transactions } from '../platform/database/transaction.js';
import { IdGenerator } from '../platform/ids.js';
import type { Logger } from '../platform/observability/log.js';
import { createMetrics } from '../platform/observability/metrics.js';
import { ConsumerCursors, type ConsumerLag } from '../platform/outbox/consumer-cursors.js';
import type { EventConsumer } from '../platform/outbox/event-consumers.js';
import { EventLog } from '../platform/outbox/event-log.js';
import { Outbox } from '../platform/outbox/outbox.js';
import { OutgoingHttp } from '../platform/outgoing/outgoing-http.js';
import { Doorbell } from '../platform/push/doorbell.js';
import { EventFeed } from '../platform/push/event-feed.js';
import type { KeptData } from '../platform/scheduling/job.js';
import { sharedAnswer } from '../platform/scheduling/shared-answer.js';
import { within } from '../platform/scheduling/timeout.js';
import { WorkShares } from '../transport/work-shares.js';
import { readShares } from './read-shares.js';
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
  const transactions = new Transactions(orm, { log, trail: new AuditTrail(clock) });
  const shares = new WorkShares({
    reads: readShares(config.READ_POOL_SIZE).lists,
    // Changes share theirs with redemptions.
    writes: Math.floor(config.DATABASE_POOL_SIZE / 2),
  });
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
    shares,
    outgoing: new OutgoingHttp({ allowedNetworks: config.OUTGOING_ALLOWED_NETWORKS ?? [] }),
    ...composeEvents(stores, { config, clock, shares, log }),
  };
}

interface EventParts {
  readonly config: Config;
  readonly clock: Clock;
  readonly shares: WorkShares;
  readonly log: Logger;
}

function composeEvents({ readOrm, redis, listener }: Stores, { config, clock, shares, log }: EventParts) {
  const consumers: EventConsumer[] = [];
  // A count that outlasts the wait of a scrape is waited for by the next ones, not begun again.
  const cursors = (): ConsumerCursors =>
    new ConsumerCursors(
      readOrm,
      consumers.map(({ name }) => name),
    );
  const pending = sharedAnswer(async () => cursors().pending());
  const metrics = createMetrics({
    withProcess: true,
    countOutboxPending: async () => within(config.STORE_TIMEOUT_MS, 'database', pending()),
  });
  const doorbell = new Doorbell(redis, listener);
  const outbox = new Outbox(clock, (tenantId, seq) => doorbell.ring(tenantId, seq));
  const feed = new EventFeed(new EventLog(readOrm, config.STORE_TIMEOUT_MS), log, {
    isPressed: shares.isPressed,
    readsAtOnce: readShares(config.READ_POOL_SIZE).ofEvents,
  });
  doorbell.onRing((tenantId, seq) => feed.heard(tenantId, seq));
  const consumerLags = async (tenantId: string): Promise<ConsumerLag[]> => cursors().lags(tenantId);
  const keptData: KeptData[] = [{ what: 'Events', days: config.OUTBOX_RETENTION_DAYS }];
  return { metrics, doorbell, outbox, feed, consumers, consumerLags, keptData };
}
