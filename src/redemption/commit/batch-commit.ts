import { InvariantError, present } from '../../platform/assert.js';
import { StoreUnavailableError } from '../../platform/errors.js';
import type { Id } from '../../platform/ids.js';
import type { Logger } from '../../platform/observability/log.js';
import type { RedemptionMetrics } from '../redemption.metrics.js';
import type { Claim } from '../claim/claim.js';
import type { RedemptionRedis } from '../claim/redemption.redis.js';
import type { AbortService } from './abort.service.js';
import type { ClaimCloser } from './claim-closer.js';
import { refusalReason, type CommitOutcome } from './commit-outcome.js';
import type { CommitTransaction } from './commit-transaction.js';
import type { Batches, Commits } from './group-commit.js';
import type { SharedCommit } from './shared-commit.js';
import type { QueuedClaim } from './tenant-queue.js';

/** Brings claims to their end: commits them in the database, closes them in Redis, and answers. */
export class BatchCommit implements Commits {
  constructor(
    private readonly transaction: CommitTransaction,
    private readonly shared: SharedCommit,
    private readonly closer: ClaimCloser,
    private readonly aborts: AbortService,
    private readonly redis: RedemptionRedis,
    private readonly metrics: Pick<RedemptionMetrics, 'commitSeconds' | 'commitBatchSize'>,
    private readonly log: Logger,
  ) {}

  /**
   * Takes the batch apart when its commit fails, until only the bad claim is refused. Resolves when the transactions
   * have ended, while Redis is yet to hear of them. Never throws.
   */
  async alone(tenantId: string, batch: readonly QueuedClaim[]): Promise<boolean> {
    const claims = batch.map(({ claim }) => claim);
    try {
      const stop = this.metrics.commitSeconds.startTimer();
      const outcomes = await this.transaction.commit(tenantId, claims);
      stop();
      this.metrics.commitBatchSize.observe(claims.length);
      void this.closeAndAnswer(tenantId, batch, outcomes);
      return [...outcomes.values()].every(({ kind }) => kind === 'COMMITTED');
    } catch (error) {
      if (error instanceof StoreUnavailableError) {
        // Whether it was committed is not known, so the claims stay open: a retry adopts them.
        this.log.error({ err: error, claims: batch.length }, 'the database is away, claims stay open');
        for (const { reject } of batch) reject(error);
      } else if (batch.length > 1) {
        this.log.warn({ err: error, claims: batch.length }, 'commit failed, the batch is split');
        const half = Math.ceil(batch.length / 2);
        await this.alone(tenantId, batch.slice(0, half));
        await this.alone(tenantId, batch.slice(half));
      } else {
        await this.abortOne(present(batch[0], 'The claim of a batch'), error);
      }
      return false;
    }
  }

  /** Whatever fails is tried again tenant by tenant, so that no tenant is split because of another. Never throws. */
  async together(batches: Batches): Promise<ReadonlySet<QueuedClaim>> {
    const queued = [...batches.values()].flat();
    try {
      const stop = this.metrics.commitSeconds.startTimer();
      const committed = await this.shared.commit(batches);
      stop();
      const isSettled = ({ claim }: QueuedClaim): boolean =>
        committed.get(claim.tenantId)?.has(claim.redemptionId) === true;
      for (const [tenantId, outcomes] of committed)
        void this.closeAndAnswer(tenantId, (batches.get(tenantId) ?? []).filter(isSettled), outcomes);
      const left = queued.filter((one) => !isSettled(one));
      this.metrics.commitBatchSize.observe(queued.length - left.length);
      return new Set(left);
    } catch (error) {
      this.log.info({ err: error, tenants: batches.size }, 'each tenant commits alone what failed together');
      return new Set(queued);
    }
  }

  /** Callers are answered when Redis has heard of the commit, or cannot. */
  private async closeAndAnswer(
    tenantId: string,
    batch: readonly QueuedClaim[],
    outcomes: ReadonlyMap<Id, CommitOutcome>,
  ): Promise<void> {
    const claims = batch.map(({ claim }) => claim);
    try {
      await this.closer.close(tenantId, claims, outcomes);
    } catch (error) {
      this.log.error({ err: error, claims: claims.length }, 'committed claims could not be closed');
    }
    for (const { claim, resolve, reject } of batch) {
      const outcome = outcomes.get(claim.redemptionId);
      if (outcome === undefined) reject(new InvariantError('A claim was left out of its batch.'));
      else resolve(outcome);
    }
    await this.failOrders(tenantId, claims, outcomes);
  }

  /**
   * A tombstone may be written by a process that does not know the claim as deferred, or by this one before it was. If
   * Redis is put back to what it held before, no job fails the order. This process knows, and does it.
   */
  private async failOrders(
    tenantId: string,
    claims: readonly Claim[],
    outcomes: ReadonlyMap<Id, CommitOutcome>,
  ): Promise<void> {
    const deferred = claims.filter(({ isDeferred, redemptionId }) => {
      const outcome = outcomes.get(redemptionId);
      return isDeferred && outcome !== undefined && refusalReason(outcome) !== null;
    });
    if (deferred.length === 0) return;
    try {
      await this.aborts.abort(
        tenantId,
        deferred.map((claim) => ({ claim, reason: 'ABORTED' })),
      );
    } catch (error) {
      this.log.error(
        { err: error, claims: deferred.length },
        'orders of deferred claims could not be failed',
      );
    }
  }

  /** It cannot be committed, alone and in good health of the database. Another process may have settled it. */
  private async abortOne({ claim, resolve, reject }: QueuedClaim, error: unknown): Promise<void> {
    const { redemptionId } = claim;
    this.log.error({ err: error, redemptionId }, 'a claim cannot be committed');
    const outcome = await this.settledByOthers(claim).catch((second: unknown) => {
      this.log.warn({ err: second, redemptionId }, 'the claim stays open');
      return null;
    });
    if (outcome === null) reject(error);
    else resolve(outcome);
  }

  private async settledByOthers(claim: Claim): Promise<CommitOutcome | null> {
    const { tenantId, redemptionId } = claim;
    // What was deferred is tried again for hours, and its job gives it up.
    if ((await this.redis.deferredAmong(tenantId, [claim])).has(redemptionId)) return null;
    const { became, outcomes } = await this.aborts.abortAndClose(tenantId, [
      { claim, reason: 'COMMIT_FAILED' },
    ]);
    return became.get(redemptionId) === 'TOMBSTONED' ? null : (outcomes.get(redemptionId) ?? null);
  }
}
