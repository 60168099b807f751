import type { Id } from '../../platform/ids.js';
import type { AbortOutcome, AbortRequest, ClaimAborter } from './claim-aborter.js';
import type { ClaimCloser } from './claim-closer.js';
import type { CommitOutcome } from './commit-outcome.js';
import type { CommitTransaction } from './commit-transaction.js';

const ABORTED: CommitOutcome = { kind: 'ABORTED' };

/** Gives claims up and their uses back, and confirms those that turn out to be committed. Commits none. */
export class AbortService {
  constructor(
    private readonly aborter: ClaimAborter,
    private readonly transaction: CommitTransaction,
    private readonly closer: ClaimCloser,
  ) {}

  /**
   * Claims of one tenant. Where Redis does not answer they stay open, and the sweeper finds them again.
   * @throws StoreUnavailableError where the database does not answer
   */
  async abort(tenantId: string, requests: readonly AbortRequest[]): Promise<ReadonlyMap<Id, AbortOutcome>> {
    return (await this.abortAndClose(tenantId, requests)).became;
  }

  /** As {@link abort}; also tells what those have come to that others had settled. */
  async abortAndClose(tenantId: string, requests: readonly AbortRequest[]) {
    const became = await this.aborter.abort(tenantId, requests);
    const claims = requests.map(({ claim }) => claim);
    const committed = claims.filter(({ redemptionId }) => became.get(redemptionId) === 'COMMITTED');
    const given = claims.filter((claim) => !committed.includes(claim));
    const outcomes = new Map(given.map(({ redemptionId }) => [redemptionId, ABORTED]));
    await this.closer.close(tenantId, given, outcomes);
    if (committed.length === 0) return { became, outcomes };
    const readBack = await this.transaction.readBack(tenantId, committed);
    await this.closer.close(tenantId, committed, readBack);
    return { became, outcomes: new Map([...outcomes, ...readBack]) };
  }
}
