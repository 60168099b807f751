import type { Id } from '../../platform/ids.js';
import type { Logger } from '../../platform/observability/log.js';
import type { Metrics } from '../../platform/observability/metrics.js';
import type { AbortOutcome, AbortRequest, ClaimAborter } from '../recovery/claim-aborter.js';
import { parseClaim, type Claim } from '../claim/claim.js';
import { refusalReason, type CommitOutcome } from './commit-outcome.js';
import type { CommitTransaction } from './commit-transaction.js';
import { GroupCommit, type GroupCommitSettings, type GroupCommitSteps } from './group-commit.js';
import type { HeldUses } from '../claim/held-uses.js';
import type { Confirmation, RedemptionRedis, Release } from '../claim/redemption.redis.js';
import type { RewardHandlers } from '../../rewards/reward-handler.js';

const ABORTED: CommitOutcome = { kind: 'ABORTED' };

/** Brings claims to their end: commit in the database, then confirm or release in Redis, then caches and push. */
export class SettlementService {
  private readonly group: GroupCommit;
  /** What is yet to be seen to of what callers were promised. */
  private readonly promises = new Set<Promise<void>>();
  private readonly promised = new Set<Id>();

  constructor(
    private readonly transaction: CommitTransaction,
    private readonly aborter: ClaimAborter,
    private readonly redis: RedemptionRedis,
    private readonly heldUses: Pick<HeldUses, 'closed'>,
    private readonly handlers: RewardHandlers,
    private readonly metrics: Metrics,
    private readonly log: Logger,
    settings: GroupCommitSettings,
  ) {
    const steps: GroupCommitSteps = {
      commit: async (tenantId, claims) => this.commit(tenantId, claims),
      close: async (tenantId, claims, outcomes) => this.closeClaims(tenantId, claims, outcomes),
      abortOne: async (claim) => this.abortOne(claim),
    };
    this.group = new GroupCommit(steps, settings, log);
  }

  /** Settles a claim; the same id joins what is under way for it. */
  async settle(claim: Claim): Promise<CommitOutcome> {
    return this.group.submit(claim);
  }

  /** The settlement of a redemption that is under way in this process. */
  joining(redemptionId: Id): Promise<CommitOutcome> | undefined {
    return this.group.joining(redemptionId);
  }

  /**
   * Gives claims of one tenant up and their uses back, and confirms those that turn out to be committed. Commits
   * none. Where Redis does not answer the claims stay open, and the sweeper finds them again.
   * @throws StoreUnavailableError where the database does not answer
   */
  async abort(tenantId: string, requests: readonly AbortRequest[]): Promise<ReadonlyMap<Id, AbortOutcome>> {
    return (await this.abandonAndClose(tenantId, requests)).outcomes;
  }

  /**
   * The caller was promised an order, and a job stands behind that. Jobs live in Redis, which may lose them; so this
   * process, too, sees to it that a refusal is told. Does not wait for it; both together come to one effect.
   */
  keepPromise(claim: Claim, settling: Promise<CommitOutcome>): void {
    const kept = this.tellRefusal({ ...claim, isDeferred: true }, settling).catch((error: unknown) =>
      this.log.debug({ err: error, redemptionId: claim.redemptionId }, 'a promise is left to its job'),
    );
    this.promises.add(kept);
    this.promised.add(claim.redemptionId);
    void kept.finally(() => {
      this.promises.delete(kept);
      this.promised.delete(claim.redemptionId);
    });
  }

  private async tellRefusal(claim: Claim, settling: Promise<CommitOutcome>): Promise<void> {
    const reason = refusalReason(await settling);
    if (reason !== null) await this.abort(claim.tenantId, [{ claim, reason }]);
  }

  async drained(): Promise<void> {
    await this.group.drained();
    await Promise.all(this.promises);
  }

  private async commit(tenantId: string, claims: readonly Claim[]): Promise<Map<Id, CommitOutcome>> {
    const stop = this.metrics.commitSeconds.startTimer();
    const outcomes = await this.transaction.commit(tenantId, claims);
    stop();
    this.metrics.commitBatchSize.observe(claims.length);
    return outcomes;
  }

  /** For a claim that cannot be committed. Somebody else may have settled it, and then that is its outcome. */
  private async abortOne(claim: Claim): Promise<CommitOutcome | null> {
    const { redemptionId } = claim;
    try {
      // What was promised is tried again for hours, and its job gives it up.
      if (await this.isDeferred(claim)) return null;
      const { outcomes, settled } = await this.abandonAndClose(claim.tenantId, [
        { claim, reason: 'COMMIT_FAILED' },
      ]);
      return outcomes.get(redemptionId) === 'ABANDONED' ? null : (settled.get(redemptionId) ?? null);
    } catch (error) {
      this.log.warn({ err: error, redemptionId }, 'the claim stays open');
      return null;
    }
  }

  /** It may have been handed over since it was made, also by another process that has adopted it. */
  private async isDeferred(claim: Claim): Promise<boolean> {
    const { tenantId, redemptionId, digest } = claim;
    if (claim.isDeferred || this.promised.has(redemptionId)) return true;
    const [open] = await this.redis.openAmong(tenantId, [claim]);
    return open !== undefined && parseClaim(tenantId, redemptionId, digest, open.claim).isDeferred;
  }

  private async abandonAndClose(tenantId: string, requests: readonly AbortRequest[]) {
    const outcomes = await this.aborter.abort(tenantId, requests);
    const claims = requests.map(({ claim }) => claim);
    const committed = claims.filter(({ redemptionId }) => outcomes.get(redemptionId) === 'COMMITTED');
    const given = claims.filter((claim) => !committed.includes(claim));
    const settled = new Map<Id, CommitOutcome>(given.map((claim) => [claim.redemptionId, ABORTED]));
    await this.closeClaims(tenantId, given, settled, isToldByAbandonment);
    if (committed.length > 0) {
      // Their ids are taken, so this can only read back what they have become.
      const readBack = await this.transaction.commit(tenantId, committed, { isTaken: true });
      for (const [id, outcome] of readBack) settled.set(id, outcome);
      await this.closeClaims(tenantId, committed, settled);
    }
    return { outcomes, settled };
  }

  /**
   * Redis and the caches follow the commit and cannot undo it: what fails here is logged, and mended from what
   * the database says.
   */
  private async closeClaims(
    tenantId: string,
    claims: readonly Claim[],
    outcomes: ReadonlyMap<Id, CommitOutcome>,
    isTold: (claim: Claim) => boolean = () => false,
  ): Promise<void> {
    const confirmations: Confirmation[] = [];
    const releases: Release[] = [];
    for (const claim of claims) {
      const outcome = outcomes.get(claim.redemptionId);
      if (outcome === undefined) continue;
      if (outcome.kind === 'COMMITTED' || outcome.kind === 'SETTLED')
        confirmations.push({ claim, ...outcome.code });
      else releases.push({ ...releaseOf(claim, outcome), isTold: isTold(claim) });
    }
    const results = await Promise.allSettled([
      this.redis.confirm(tenantId, confirmations),
      this.release(tenantId, releases),
      this.dropCaches(
        tenantId,
        confirmations.map(({ claim }) => claim),
      ),
    ]);
    this.heldUses.closed(tenantId, claims);
    for (const result of results) {
      if (result.status === 'rejected')
        this.log.warn({ err: result.reason as unknown }, 'claims stay open after their commit');
    }
  }

  /**
   * Redis knows best what was promised: another process may have done it a moment ago. There the order and the event
   * come first that are owed, and if they cannot be written, the claim stays open for its job and for the sweeper.
   */
  private async release(tenantId: string, releases: readonly Release[]): Promise<void> {
    const promised = await this.redis.release(tenantId, releases);
    if (promised.length === 0) return;
    const owed = releases
      .filter(({ claim }) => promised.includes(claim.redemptionId))
      .map((release) => ({ ...release, claim: { ...release.claim, isDeferred: true }, isTold: true }));
    // Their tombstones are there and say why; the reason is for nobody.
    const requests = owed.map(({ claim }) => ({ claim, reason: ABORTED.kind }));
    await this.aborter.abort(tenantId, requests);
    await this.redis.release(tenantId, owed);
  }

  private async dropCaches(tenantId: string, claims: readonly Claim[]): Promise<void> {
    for (const handler of this.handlers.values()) {
      const users = claims.filter((claim) => claim.rewards.some(({ rule }) => rule.type === handler.type));
      if (users.length > 0) {
        await handler.afterCommit(
          tenantId,
          users.map((claim) => claim.userId),
        );
      }
    }
  }
}

/** With the tombstone, whom it was promised to has got the failed order and the event. */
function isToldByAbandonment(claim: Claim): boolean {
  return claim.isDeferred;
}

function releaseOf(
  claim: Claim,
  outcome: Exclude<CommitOutcome, { kind: 'COMMITTED' | 'SETTLED' }>,
): Omit<Release, 'isTold'> {
  switch (outcome.kind) {
    case 'REFUSED':
      return {
        claim,
        version: outcome.codeVersion,
        spent: outcome.spent,
        doneId: doneIdOf(outcome),
        winnerId: null,
      };
    case 'REPLAYED':
      return {
        claim,
        version: outcome.codeVersion,
        spent: null,
        doneId: outcome.record.id,
        winnerId: outcome.record.id,
      };
    case 'ABORTED':
      return { claim, version: 0, spent: null, doneId: null, winnerId: null };
  }
}

function doneIdOf({ refusal, first }: Extract<CommitOutcome, { kind: 'REFUSED' }>): Id | null {
  return refusal === 'ALREADY_REDEEMED' ? (first?.id ?? null) : null;
}
