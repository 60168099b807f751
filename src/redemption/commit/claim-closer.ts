import type { Id } from '../../platform/ids.js';
import type { Logger } from '../../platform/observability/log.js';
import type { RewardHandlers } from '../../rewards/reward-handler.js';
import type { Claim } from '../claim/claim.js';
import type { HeldUses } from '../claim/held-uses.js';
import type { Confirmation, RedemptionRedis, Release } from '../claim/redemption.redis.js';
import type { CommitOutcome } from './commit-outcome.js';

/** Tells Redis and the caches what the database has decided. */
export class ClaimCloser {
  constructor(
    private readonly redis: RedemptionRedis,
    private readonly heldUses: Pick<HeldUses, 'closed'>,
    private readonly handlers: RewardHandlers,
    private readonly log: Logger,
  ) {}

  /**
   * Confirms or releases claims of one tenant. Redis and the caches follow the commit and cannot undo it: what fails
   * here is logged, and mended from what the database says.
   */
  async close(
    tenantId: string,
    claims: readonly Claim[],
    outcomes: ReadonlyMap<Id, CommitOutcome>,
  ): Promise<void> {
    const confirmations: Confirmation[] = [];
    const releases: Release[] = [];
    for (const claim of claims) {
      const outcome = outcomes.get(claim.redemptionId);
      if (outcome === undefined) continue;
      if (outcome.kind === 'COMMITTED' || outcome.kind === 'SETTLED')
        confirmations.push({ claim, ...outcome.code });
      else releases.push(releaseOf(claim, outcome));
    }
    const results = await Promise.allSettled([
      this.redis.confirm(tenantId, confirmations),
      this.redis.release(tenantId, releases),
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

  private async dropCaches(tenantId: string, claims: readonly Claim[]): Promise<void> {
    for (const handler of this.handlers.values()) {
      const given = claims.flatMap(({ userId, rewards }) =>
        rewards
          .filter(({ rule }) => rule.type === handler.type)
          .map(({ rule }) => ({ userId, sourceId: rule.id })),
      );
      if (given.length > 0) await handler.afterCommit(tenantId, given);
    }
  }
}

function releaseOf(
  claim: Claim,
  outcome: Exclude<CommitOutcome, { kind: 'COMMITTED' | 'SETTLED' }>,
): Release {
  switch (outcome.kind) {
    case 'REFUSED': {
      const doneId = outcome.refusal === 'ALREADY_REDEEMED' ? (outcome.first?.id ?? null) : null;
      return { claim, version: outcome.codeVersion, spent: outcome.spent, doneId, winnerId: null };
    }
    case 'REPLAYED': {
      const { id } = outcome.record;
      return { claim, version: outcome.codeVersion, spent: null, doneId: id, winnerId: id };
    }
    case 'ABORTED':
      return { claim, version: 0, spent: null, doneId: null, winnerId: null };
  }
}
