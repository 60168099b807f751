import { isStoreAway } from '../../platform/failures.js';
import type { Logger } from '../../platform/observability/log.js';
import type { RedemptionMetrics } from '../redemption.metrics.js';
import { JobFailedError } from '../../platform/queue/job-failed-error.js';
import { within } from '../../platform/scheduling/timeout.js';
import type { AbortService } from '../commit/abort.service.js';
import type { AbortOutcome } from '../commit/claim-aborter.js';
import type { Claim } from '../claim/claim.js';
import { refusalReason } from '../commit/commit-outcome.js';
import { claimOf, type PendingQueue, type PendingRedemption } from './pending-redemptions.js';
import type { RedemptionRedis } from '../claim/redemption.redis.js';
import type { GroupCommit } from '../commit/group-commit.js';

const COUNT_EVERY_MS = 5000;

/** Settles deferred redemptions. Any number of deliveries of one job come to one effect. */
export class PendingRedemptionJobs {
  private counting: NodeJS.Timeout | null = null;

  constructor(
    private readonly queue: PendingQueue,
    private readonly redis: RedemptionRedis,
    private readonly groupCommit: GroupCommit,
    private readonly aborts: AbortService,
    private readonly metrics: Pick<RedemptionMetrics, 'pendingJobs' | 'deadLetters' | 'pendingOutcomes'>,
    private readonly log: Logger,
    /** How long one attempt waits for the database. */
    private readonly attemptMs: number,
  ) {}

  start(): void {
    this.queue.start(async (pending, _attempt, isLast) => this.work(pending, isLast));
    this.counting = setInterval(() => void this.count(), COUNT_EVERY_MS).unref();
  }

  async stop(): Promise<void> {
    if (this.counting !== null) clearInterval(this.counting);
    await this.queue.close();
  }

  /** One delivery. @throws NotSettledError to be tried again, or after the last attempt to be kept as a dead letter */
  async work(pending: PendingRedemption, isLast: boolean): Promise<void> {
    try {
      await this.settle(await this.claim(pending));
    } catch (error) {
      if (!isLast) {
        this.metrics.pendingOutcomes.inc({ outcome: 'RETRIED' });
        throw notSettled(error);
      }
      await this.exhaust(claimOf(pending), error);
    }
  }

  /** The claim as Redis holds it, or as the job repeats it. */
  private async claim(pending: PendingRedemption): Promise<Claim> {
    const [open] = await this.redis.openAmong(pending.tenantId, [pending]);
    return claimOf(open === undefined ? pending : { ...pending, ...open });
  }

  private async settle(claim: Claim): Promise<void> {
    const { tenantId, redemptionId } = claim;
    const outcome = await within(this.attemptMs, 'database', this.groupCommit.settle(claim));
    const reason = refusalReason(outcome);
    if (reason === null) {
      this.metrics.pendingOutcomes.inc({ outcome: 'COMMITTED' });
      this.log.info({ tenantId, redemptionId }, 'a deferred redemption is committed');
      return;
    }
    // Its tombstone may have been written before the redemption was deferred; then its order has still to fail.
    await this.abort(claim, reason);
    this.metrics.pendingOutcomes.inc({ outcome: 'REFUSED' });
    this.log.info({ tenantId, redemptionId, outcome: reason }, 'a deferred redemption was refused');
  }

  private async exhaust(claim: Claim, error: unknown): Promise<void> {
    const { tenantId, redemptionId } = claim;
    try {
      const became = await this.abort(claim, 'RETRIES_EXHAUSTED');
      this.metrics.pendingOutcomes.inc({ outcome: became === 'COMMITTED' ? became : 'EXHAUSTED' });
      this.log.warn(
        { err: error, tenantId, redemptionId, became },
        'tries to commit a redemption are used up',
      );
    } catch (second) {
      this.metrics.pendingOutcomes.inc({ outcome: 'DEAD' });
      throw notSettled(second);
    }
  }

  /** Tombstone, failed order and event, as far as they are not there; then the use is given back. */
  private async abort(claim: Claim, reason: string): Promise<AbortOutcome | undefined> {
    const aborting = this.aborts.abort(claim.tenantId, [{ claim, reason }]);
    return (await within(this.attemptMs, 'database', aborting)).get(claim.redemptionId);
  }

  private async count(): Promise<void> {
    try {
      const { pending, dead } = await this.queue.counts();
      this.metrics.pendingJobs.set(pending);
      this.metrics.deadLetters.set(dead);
    } catch (error) {
      this.log.debug({ err: error }, 'pending redemptions were not counted');
    }
  }
}

function notSettled(error: unknown): JobFailedError {
  return new JobFailedError(isStoreAway(error) ? 'STORE_UNAVAILABLE' : 'COMMIT_FAILED', error);
}
