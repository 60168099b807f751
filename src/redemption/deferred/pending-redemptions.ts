import { DEFERRED_DEADLINE_MS } from '../../config.js';
import type { DeferredOrder } from '../../orders/orders/order.service.js';
import type { Logger } from '../../platform/observability/log.js';
import type { TenantJobs } from '../../platform/queue/tenant-jobs.js';
import type { Id } from '../../platform/ids.js';
import { claimText, mayJoin, parseClaim, type Claim } from '../claim/claim.js';
import type { PendingRedemptionsRedis } from './pending-redemptions.redis.js';
import type { AttemptKeys } from '../claim/redemption.redis.js';

/** A redemption that is settled later; no whole code is in it, and no secret. */
export interface PendingRedemption {
  readonly tenantId: string;
  readonly redemptionId: Id;
  readonly digest: string;
  /** The claim with all that its commit needs, should Redis lose it. */
  readonly claim: string;
}

export type PendingQueue = TenantJobs<PendingRedemption>;

/**
 * Redemptions that were answered PROCESSING, because the commit took too long. A job settles each, even if the process
 * that claimed it dies.
 */
export class PendingRedemptions {
  constructor(
    private readonly queue: PendingQueue,
    private readonly redis: PendingRedemptionsRedis,
    private readonly log: Logger,
    /** The commit under way may well finish by itself. */
    private readonly delayMs: number,
  ) {}

  /**
   * Defers claims of one tenant: leaves them to their jobs. The job comes first: without it nothing would settle a claim whose
   * deadline is hours away. Deferring again only retries a dead job.
   * @returns how many were open; the others are settled, or Redis has lost them
   * @throws StoreUnavailableError when Redis does not answer; then PROCESSING must not be answered
   */
  async defer(tenantId: string, claims: readonly Claim[]): Promise<number> {
    await Promise.all(claims.map(async (claim) => this.addJob(claim)));
    const open = await this.redis.defer(tenantId, claims);
    const redemptionIds = claims.map((claim) => claim.redemptionId);
    this.log.info({ tenantId, redemptionIds }, 'the database takes long, claims are deferred');
    return open;
  }

  /** Drops jobs that are done, or were given up; those under way end by themselves. @throws StoreUnavailableError */
  async forget(tenantId: string, redemptionIds: readonly Id[]): Promise<void> {
    await this.queue.of(tenantId).forget(redemptionIds.map((id) => jobIdOf(tenantId, id)));
  }

  private async addJob(claim: Claim): Promise<void> {
    const { delayMs } = this;
    const jobId = jobIdOf(claim.tenantId, claim.redemptionId);
    const queue = this.queue.of(claim.tenantId);
    await queue.add(jobId, jobOf(claim), { delayMs });
    // One that was deferred before may have a dead job by now, which no worker would take.
    if (claim.isDeferred) await queue.redrive(jobId);
    // Its commit may be under way here, and the job be lost with Redis before that ends.
    claim.isDeferred = true;
  }

  /** The claim of a redemption that was deferred and is not settled yet, also when Redis has lost it. */
  async find(tenantId: string, redemptionId: Id): Promise<Claim | null> {
    const pending = await this.queue.of(tenantId).find(jobIdOf(tenantId, redemptionId));
    return pending === null ? null : claimOf(pending);
  }

  /** What the order of such a redemption will be; for {@link OrderService.find}. */
  async deferredOrder(tenantId: string, orderNo: string): Promise<DeferredOrder | null> {
    const claim = await this.find(tenantId, orderNo);
    return claim === null ? null : { userId: claim.userId, createdAt: new Date(claim.claimedAtMs) };
  }

  /** The open claim that a repeated call means; asks only Redis, for when the database is away. */
  async openClaim(attempt: AttemptKeys): Promise<Claim | null> {
    const claim = await this.redis.openClaim(attempt);
    return claim !== null && mayJoin(claim, attempt.idempotencyKey) ? claim : null;
  }
}

/** Told by the order number and the tenant, so that an order can be looked up by it. */
export function jobIdOf(tenantId: string, redemptionId: Id): string {
  return `r${redemptionId}_${tenantId}`;
}

export function tenantOfJob(jobId: string): string | undefined {
  return /^r\d+_(.+)$/.exec(jobId)?.[1];
}

/** Deferred, also where Redis has the claim from before. */
export function claimOf({ tenantId, redemptionId, digest, claim }: PendingRedemption): Claim {
  return { ...parseClaim(tenantId, redemptionId, digest, claim), isDeferred: true };
}

function jobOf(claim: Claim): PendingRedemption {
  const { tenantId, redemptionId, digest } = claim;
  const deadlineMs = claim.claimedAtMs + DEFERRED_DEADLINE_MS;
  return { tenantId, redemptionId, digest, claim: claimText({ ...claim, isDeferred: true }, deadlineMs) };
}
