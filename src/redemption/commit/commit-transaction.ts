import { lockUsage } from '../../campaigns/campaign-usage.service.js';
import { present } from '../../platform/assert.js';
import type { Clock } from '../../platform/clock.js';
import type { Id } from '../../platform/ids.js';
import type { RedemptionMetrics } from '../redemption.metrics.js';
import { ReadBackNeededError, type Transactions } from '../../platform/database/transaction.js';
import { resultWithin } from '../../platform/scheduling/timeout.js';
import type { Claim } from '../claim/claim.js';
import type { RedemptionRedis } from '../claim/redemption.redis.js';
import { committed, CommitDecisions } from './commit-decider.js';
import { limitedUses } from './commit-guards.js';
import { lockRows } from './commit-locks.js';
import type { CommitOutcome } from './commit-outcome.js';
import type { CommitWrites, FailedClaim } from './commit-writes.js';
import { EarlierRedemptions } from './earlier-redemptions.js';
import type { RewardHandlers } from '../../rewards/reward-handler.js';
import { RewardBatch } from './reward-batch.js';

/** How long a transaction asks Redis which of its refused claims are deferred. */
const ASK_MS = 100;

/** Commits a batch of claims of one tenant in one transaction, or changes nothing. */
export class CommitTransaction {
  constructor(
    private readonly transactions: Transactions,
    private readonly handlers: RewardHandlers,
    private readonly writes: CommitWrites,
    private readonly redis: Pick<RedemptionRedis, 'deferredAmong'>,
    private readonly clock: Clock,
    private readonly metrics: Pick<RedemptionMetrics, 'transactions'>,
  ) {}

  /**
   * What became of each claim. Goes ahead in the hope that nothing stands in the way, because nothing almost ever
   * does; after a duplicate key it runs again and reads first what does. So does a COMMIT without a verdict: with
   * the same ids the second run finds what the first has left, or does it.
   */
  async commit(tenantId: string, claims: readonly Claim[]): Promise<Map<Id, CommitOutcome>> {
    return this.settle(tenantId, claims, false);
  }

  /** What has become of claims whose ids are taken. */
  async readBack(tenantId: string, claims: readonly Claim[]): Promise<Map<Id, CommitOutcome>> {
    return this.settle(tenantId, claims, true);
  }

  private async settle(
    tenantId: string,
    claims: readonly Claim[],
    readsBackFirst: boolean,
  ): Promise<Map<Id, CommitOutcome>> {
    return this.transactions.runReadingBack(tenantId, async (em, again) => {
      const readsBack = readsBackFirst || again;
      this.metrics.transactions.inc();
      // Asked for in this order, and sent together: the users' locks come first, and all else is read under them.
      const [rows, [begun], buyers] = await Promise.all([
        lockRows(em, tenantId, claims),
        RewardBatch.begin([{ em, tenantId, claims }], this.handlers),
        this.writes.buyersAmong(em, tenantId, claims),
      ]);
      const usage = await lockUsage(em, tenantId, limitedUses(claims, rows));
      const earlier = readsBack ? await EarlierRedemptions.read(em, claims) : new EarlierRedemptions();
      const settledAt = new Date(this.clock.nowMs());
      const { rewards } = present(begun, 'The rewards of a batch');
      const decisions = new CommitDecisions(rows, earlier, usage, rewards, settledAt);
      decisions.decideAll(claims);
      // What is refused here may have been redeemed before, which comes first among the refusals.
      if (!readsBack && decisions.others.size > 0) throw new ReadBackNeededError();
      const failed = await this.failedOf(tenantId, decisions);
      await Promise.all([
        usage.flush(),
        rewards.flush(),
        this.writes.write(em, tenantId, { ...decisions, failed, buyers, settledAt }),
      ]);
      return outcomesOf(decisions);
    });
  }

  /** Refused claims that were answered PROCESSING: their orders fail with them. */
  private async failedOf(tenantId: string, { tombstones, others }: CommitDecisions): Promise<FailedClaim[]> {
    if (tombstones.length === 0) return [];
    const claims = tombstones.map(({ claim }) => claim);
    // Rows are locked: where Redis hangs, the jobs of those that only it knows to be deferred fail their orders.
    const deferred = await resultWithin(ASK_MS, this.redis.deferredAmong(tenantId, claims));
    return tombstones
      .filter(({ claim }) => claim.isDeferred || (deferred?.has(claim.redemptionId) ?? false))
      .map((one) => ({ ...one, winnerId: winnerIdOf(others.get(one.claim.redemptionId)) }));
  }
}

function winnerIdOf(outcome: CommitOutcome | undefined): Id | null {
  return outcome?.kind === 'REPLAYED' ? outcome.record.id : null;
}

function outcomesOf({ others, accepted }: CommitDecisions): Map<Id, CommitOutcome> {
  return new Map([...others, ...accepted.map(committed)]);
}
