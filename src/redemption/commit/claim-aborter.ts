import type { Clock } from '../../platform/clock.js';
import { sortedIds, type Id } from '../../platform/ids.js';
import type { Em } from '../../platform/database/orm.js';
import { isDuplicateKey } from '../../platform/database/sql-errors.js';
import type { Transactions } from '../../platform/database/transaction.js';
import { SettledBefore } from './settled-before.js';
import type { Claim } from '../claim/claim.js';
import type { CommitWrites } from './commit-writes.js';

/** A claim to abort. */
export interface AbortRequest {
  readonly claim: Claim;
  /** What the tombstone says, as DEADLINE_PASSED; not read where a tombstone is there already. */
  readonly reason: string;
}

/**
 * The outcome of an abort: the tombstone was committed now, or was there before, or the redemption is committed.
 * A COMMIT whose verdict was lost may have left the tombstone that the next run finds: ABORTED then means "now".
 */
export type AbortOutcome = 'TOMBSTONED' | 'ABORTED' | 'COMMITTED';

/**
 * Aborts claims for good: a tombstone takes the redemption's id, so that a commit of it, however late it comes,
 * fails on the primary key. Only then may the use be given back. A deferred claim gets an order that
 * failed, and its user the event; both come once, because the order's key is the claim's too.
 */
export class ClaimAborter {
  constructor(
    private readonly transactions: Transactions,
    private readonly writes: CommitWrites,
    private readonly clock: Clock,
  ) {}

  /**
   * One transaction for all, or nothing of it stands; where they get into each other's way, one for each.
   * @throws StoreUnavailableError
   */
  async abort(tenantId: string, requests: readonly AbortRequest[]): Promise<ReadonlyMap<Id, AbortOutcome>> {
    if (requests.length === 0) return new Map();
    try {
      const ordered = inOrder(requests);
      return await this.transactions.runReadingBack(tenantId, async (em) => this.once(em, tenantId, ordered));
    } catch (error) {
      if (!isDuplicateKey(error) || requests.length === 1) throw error;
      const outcomes = new Map<Id, AbortOutcome>();
      for (const one of requests) {
        for (const [id, outcome] of await this.abort(tenantId, [one])) outcomes.set(id, outcome);
      }
      return outcomes;
    }
  }

  private async once(
    em: Em,
    tenantId: string,
    requests: readonly AbortRequest[],
  ): Promise<Map<Id, AbortOutcome>> {
    const claims = requests.map(({ claim }) => claim);
    const found = await SettledBefore.read(em, claims);
    const settledAt = new Date(this.clock.nowMs());
    const deferred = requests.filter(({ claim }) => found.needsOrder(claim));
    const buyers = await this.writes.buyersAmong(
      em,
      tenantId,
      deferred.map(({ claim }) => claim),
    );
    // What is read above decides nothing: the primary keys of both tables do.
    await this.writes.write(em, tenantId, {
      accepted: [],
      tombstones: requests.filter(({ claim }) => found.settled(claim) === null),
      failed: deferred.map(({ claim, reason }) => ({
        claim,
        reason: found.abortReason(claim) ?? reason,
        winnerId: found.winnerId(claim),
      })),
      buyers,
      settledAt,
    });
    return new Map(claims.map((claim) => [claim.redemptionId, found.settled(claim) ?? 'TOMBSTONED']));
  }
}

/** Each claim once, and in primary-key order, so that two who meet at the same rows take them in the same order. */
function inOrder(requests: readonly AbortRequest[]): AbortRequest[] {
  const byId = new Map(requests.map((one) => [one.claim.redemptionId, one]));
  return sortedIds(byId.keys()).flatMap((id) => byId.get(id) ?? []);
}
