import type { MikroORM } from '@mikro-orm/core';
import type { Config } from '../../config.js';
import type { OrderService } from '../../orders/orders/order.service.js';
import type { Clock } from '../../platform/clock.js';
import { Transactions } from '../../platform/database/transaction.js';
import type { Logger } from '../../platform/observability/log.js';
import type { RedemptionMetrics } from '../redemption.metrics.js';
import type { Outbox } from '../../platform/outbox/outbox.js';
import type { Redis } from '../../platform/redis/redis.js';
import type { RewardHandlers } from '../../rewards/reward-handler.js';
import type { TenantService } from '../../tenancy/tenant.service.js';
import { HeldUses } from '../claim/held-uses.js';
import { RedemptionRedis } from '../claim/redemption.redis.js';
import { AbortService } from './abort.service.js';
import { BatchCommit } from './batch-commit.js';
import { ClaimAborter } from './claim-aborter.js';
import { ClaimCloser } from './claim-closer.js';
import { CommitTransaction } from './commit-transaction.js';
import { CommitWrites } from './commit-writes.js';
import { GroupCommit } from './group-commit.js';
import { SharedCommit } from './shared-commit.js';

export interface SettlementNeeds {
  readonly config: Config;
  readonly orm: MikroORM;
  readonly commitOrm: MikroORM;
  readonly redis: Redis;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: RedemptionMetrics;
  readonly transactions: Transactions;
  readonly outbox: Outbox;
  readonly tenants: TenantService;
  readonly orders: OrderService;
  readonly handlers: RewardHandlers;
}

/** What brings claims to their end, one way or the other. */
export function composeSettlement(its: SettlementNeeds) {
  const { config, commitOrm, log, metrics, handlers } = its;
  const redemptionRedis = new RedemptionRedis(its.redis, {
    claimDeadlineMs: config.CLAIM_DEADLINE_MS,
    markerMs: config.IDEMPOTENCY_MARKER_TTL_S * 1000,
  });
  const writes = new CommitWrites(its.orders, its.outbox);
  const commits = new Transactions(commitOrm, { log });
  // Aborting does not wait long for rows that other transactions hold: the sweeper tries again.
  const aborting = new Transactions(commitOrm, { log, attempts: 2 });
  const commit = new CommitTransaction(commits, handlers, writes, redemptionRedis, its.clock, metrics);
  const aborter = new ClaimAborter(aborting, writes, its.clock);
  const heldUses = new HeldUses(redemptionRedis, config.HELD_WAIT_MS);
  const closer = new ClaimCloser(redemptionRedis, heldUses, handlers, log);
  const aborts = new AbortService(aborter, commit, closer);
  // What fails is tried again by the transactions of each tenant alone.
  const sharing = new Transactions(commitOrm, { log, attempts: 1 });
  const shared = new SharedCommit(sharing, handlers, writes, its.clock, metrics);
  const batches = new BatchCommit(commit, shared, closer, aborts, redemptionRedis, metrics, log);
  const groupCommit = new GroupCommit(batches, {
    batchMax: config.COMMIT_BATCH_MAX,
    lanes: config.COMMIT_LANES,
    tenantsMax: config.COMMIT_TENANTS_MAX,
  });
  return { redemptionRedis, heldUses, aborter, aborts, groupCommit };
}
