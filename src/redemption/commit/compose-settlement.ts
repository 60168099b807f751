import type { MikroORM } from '@mikro-orm/core';
import type { Config } from '../../config.js';
import type { OrderService } from '../../orders/orders/order.service.js';
import type { Clock } from '../../platform/clock.js';
import { Transactions } from '../../platform/database/transaction.js';
import type { Logger } from '../../platform/observability/log.js';
import type { Metrics } from '../../platform/observability/metrics.js';
import type { Outbox } from '../../platform/outbox/outbox.js';
import type { Redis } from '../../platform/redis/redis.js';
import type { RewardHandlers } from '../../rewards/reward-handler.js';
import type { TenantService } from '../../tenancy/tenant.service.js';
import { HeldUses } from '../claim/held-uses.js';
import { RedemptionRedis } from '../claim/redemption.redis.js';
import { ClaimAborter } from '../recovery/claim-aborter.js';
import { CommitTransaction } from './commit-transaction.js';
import { CommitWrites } from './commit-writes.js';
import { SettlementService } from './settlement.service.js';

export interface SettlementNeeds {
  readonly config: Config;
  readonly orm: MikroORM;
  readonly commitOrm: MikroORM;
  readonly redis: Redis;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
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
  const abandons = new Transactions(commitOrm, { log, attempts: 2 });
  const commit = new CommitTransaction(commits, handlers, writes, its.clock, metrics);
  const aborter = new ClaimAborter(abandons, writes, its.orders, its.outbox, its.clock);
  const heldUses = new HeldUses(redemptionRedis, config.HELD_WAIT_MS);
  const settlement = new SettlementService(
    commit,
    aborter,
    redemptionRedis,
    heldUses,
    handlers,
    metrics,
    log,
    { batchMax: config.COMMIT_BATCH_MAX, lanes: config.COMMIT_LANES },
  );
  return { redemptionRedis, heldUses, aborter, settlement };
}
