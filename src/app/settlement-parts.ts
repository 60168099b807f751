import type { Config } from '../config.js';
import type { Clock } from '../platform/clock.js';
import type { Logger } from '../platform/observability/log.js';
import type { Metrics } from '../platform/observability/metrics.js';
import { Transactions } from '../platform/database/transaction.js';
import type { Outbox } from '../platform/outbox/outbox.js';
import type { OutboxWake } from '../platform/outbox/outbox-wake.js';
import type { OrderService } from '../orders/orders/order.service.js';
import type { RewardHandlers } from '../redemption/commit/reward-batch.js';
import type { TenantService } from '../tenancy/tenant.service.js';
import type { Stores } from './stores.js';
import { DeadLetterService } from '../redemption/deferred/dead-letters.service.js';
import { JobQueue } from '../platform/queue/job-queue.js';
import { OutboxRetention } from '../platform/outbox/outbox-retention.js';
import { ClaimAbandonment } from '../redemption/recovery/claim-abort.js';
import { ClaimSweeper } from '../redemption/recovery/claim-sweeper.js';
import { CommitTransaction } from '../redemption/commit/commit-transaction.js';
import { CommitWrites } from '../redemption/commit/commit-writes.js';
import { HeldUses } from '../redemption/claim/held-uses.js';
import { LateConfirms } from '../redemption/recovery/late-confirms.js';
import { OpenClaimsRedis } from '../redemption/claim/open-claims.redis.js';
import { PendingRedemptionJobs } from '../redemption/deferred/pending-redemptions.jobs.js';
import { PendingRedemptionsRedis } from '../redemption/deferred/pending-redemptions.redis.js';
import { PendingRedemptions, type PendingQueue } from '../redemption/deferred/pending-redemptions.js';
import { RedemptionRedis } from '../redemption/claim/redemption.redis.js';
import { SettlementService } from '../redemption/commit/settlement.service.js';
import { TombstoneRetention } from '../redemption/recovery/tombstone-retention.js';

interface SettlementParts {
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly transactions: Transactions;
  readonly outbox: Outbox;
  readonly wake: OutboxWake;
  readonly tenants: TenantService;
  readonly orders: OrderService;
  readonly handlers: RewardHandlers;
}

interface PendingParts {
  readonly metrics: Metrics;
  readonly redemptionRedis: RedemptionRedis;
  readonly settlement: SettlementService;
}

/** What brings claims to their end, one way or the other. */
export function composeSettlement(
  { orm, commitOrm, redis }: Stores,
  config: Config,
  its: SettlementParts,
  log: Logger,
) {
  const { metrics, handlers } = its;
  const redemptionRedis = new RedemptionRedis(redis, {
    claimDeadlineMs: config.CLAIM_DEADLINE_MS,
    markerMs: config.IDEMPOTENCY_MARKER_TTL_S * 1000,
  });
  const writes = new CommitWrites(its.orders, its.outbox);
  const commits = new Transactions(commitOrm, { log });
  // Whoever gives claims up does not wait long for rows that others hold; it comes again.
  const abandons = new Transactions(commitOrm, { log, attempts: 2 });
  const commit = new CommitTransaction(commits, handlers, writes, its.clock, metrics);
  const abandonment = new ClaimAbandonment(abandons, writes, its.orders, its.outbox, its.clock);
  const wakeRelay = (tenantId: string): void => its.wake.notify(tenantId);
  const groups = { batchMax: config.COMMIT_BATCH_MAX, lanes: config.COMMIT_LANES };
  const heldUses = new HeldUses(redemptionRedis, config.HELD_WAIT_MS);
  const settlement = new SettlementService(
    commit,
    abandonment,
    redemptionRedis,
    heldUses,
    handlers,
    wakeRelay,
    metrics,
    log,
    groups,
  );
  const lateConfirms = new LateConfirms(redemptionRedis, settlement, log);
  const sweeper = new ClaimSweeper({
    ...its,
    open: new OpenClaimsRedis(redis),
    redis: redemptionRedis,
    settlement,
    log,
  });
  const tombstones = new TombstoneRetention(
    orm,
    its.transactions,
    its.tenants,
    config.TOMBSTONE_RETENTION_DAYS,
  );
  const outboxRetention = new OutboxRetention(orm, config.OUTBOX_RETENTION_DAYS);
  return {
    redemptionRedis,
    heldUses,
    abandonment,
    settlement,
    lateConfirms,
    sweeper,
    tombstones,
    outboxRetention,
  };
}

/** What goes on after PROCESSING was answered. */
export function composePending({ redis, redisUrl }: Stores, config: Config, its: PendingParts, log: Logger) {
  const queue: PendingQueue = new JobQueue({
    redis,
    redisUrl,
    name: 'pending-redemptions',
    log,
    commandTimeoutMs: config.STORE_TIMEOUT_MS,
    attempts: config.PENDING_ATTEMPTS,
    backoffMs: config.PENDING_BACKOFF_MS,
    backoffMaxMs: config.PENDING_BACKOFF_MAX_MS,
    // Those that wait for the database at once are committed together.
    concurrency: 64,
    share: { ownerOf: ({ tenantId }) => tenantId, max: 32 },
  });
  const pendingRedis = new PendingRedemptionsRedis(redis);
  const pendingRedemptions = new PendingRedemptions(queue, pendingRedis, log, config.PENDING_BACKOFF_MS);
  const pendingJobs = new PendingRedemptionJobs(
    queue,
    its.redemptionRedis,
    its.settlement,
    its.metrics,
    log,
    config.REPLY_WITHIN_MS,
  );
  return { pendingRedemptions, pendingJobs, deadLetters: new DeadLetterService(queue) };
}
