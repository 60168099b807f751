import type { Config } from '../../config.js';
import type { Transactions } from '../../platform/database/transaction.js';
import type { Logger } from '../../platform/observability/log.js';
import type { RedemptionMetrics } from '../redemption.metrics.js';
import { TenantJobs } from '../../platform/queue/tenant-jobs.js';
import type { Redis } from '../../platform/redis/redis.js';
import type { RedemptionRedis } from '../claim/redemption.redis.js';
import type { AbortService } from '../commit/abort.service.js';
import type { GroupCommit } from '../commit/group-commit.js';
import type { TenantEventLetterService } from '../../tenancy/directory/tenant-event-letters.service.js';
import type { TenantService } from '../../tenancy/tenant.service.js';
import { DeadLetterService } from './dead-letters.service.js';
import { PendingRedemptionJobs } from './pending-redemptions.jobs.js';
import { PendingRedemptionsRedis } from './pending-redemptions.redis.js';
import { PendingRedemptions, type PendingQueue } from './pending-redemptions.js';

interface Needs {
  readonly config: Config;
  readonly redis: Redis;
  readonly redisUrl: string;
  readonly transactions: Transactions;
  readonly log: Logger;
  readonly metrics: RedemptionMetrics;
  readonly redemptionRedis: RedemptionRedis;
  readonly groupCommit: GroupCommit;
  readonly aborts: AbortService;
  readonly tenants: TenantService;
  readonly tenantEventLetters: TenantEventLetterService;
}

/** What goes on after PROCESSING was answered. */
export function composeDeferred({
  config,
  redis,
  redisUrl,
  transactions,
  log,
  metrics,
  redemptionRedis,
  groupCommit,
  aborts,
  tenants,
  tenantEventLetters,
}: Needs) {
  const queue: PendingQueue = new TenantJobs({
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
  return {
    pendingRedemptions: new PendingRedemptions(queue, pendingRedis, log, config.PENDING_BACKOFF_MS),
    pendingJobs: new PendingRedemptionJobs(
      queue,
      redemptionRedis,
      groupCommit,
      aborts,
      metrics,
      log,
      config.REPLY_WITHIN_MS,
    ),
    deadLetters: new DeadLetterService(queue, transactions, tenants, tenantEventLetters),
  };
}
