import { StoreUnavailableError } from '../../platform/errors.js';
import { isStoreAway } from '../../platform/failures.js';
import { within } from '../../platform/scheduling/timeout.js';
import type { Claim } from '../claim/claim.js';
import type { AttemptKeys } from '../claim/redemption.redis.js';
import type { AbortService } from '../commit/abort.service.js';
import type { CommitOutcome } from '../commit/commit-outcome.js';
import type { GroupCommit } from '../commit/group-commit.js';
import type { PendingRedemptions } from '../deferred/pending-redemptions.js';
import type { RedemptionRecord } from '../history/redemption-record.js';
import type { RedemptionReader } from '../history/redemption-reader.js';
import { outcomeOf, type AttemptOutcome } from './attempt-outcome.js';

/** Has claims committed, and defers those whose commit takes longer than a caller waits. */
export class ClaimSettlement {
  constructor(
    private readonly groupCommit: GroupCommit,
    private readonly pending: PendingRedemptions,
    private readonly aborts: AbortService,
    private readonly reader: RedemptionReader,
    /** How long a caller waits for the commit. */
    private readonly replyWithinMs: number,
  ) {}

  /** Commits a claim, or joins the commit of its id that is under way. A commit that takes long goes on. */
  async settle(claim: Claim): Promise<AttemptOutcome> {
    let committed: CommitOutcome;
    try {
      committed = await within(this.replyWithinMs, 'database', this.groupCommit.settle(claim));
    } catch (error) {
      if (!isStoreAway(error)) throw error;
      return this.defer(claim);
    }
    return outcomeOf(committed);
  }

  /** The commit of this id that is under way in this process. */
  async joined(redemption: Pick<Claim, 'tenantId' | 'redemptionId'>): Promise<AttemptOutcome | null> {
    const underWay = this.groupCommit.joining(redemption);
    if (underWay === undefined) return null;
    return outcomeOf(await within(this.replyWithinMs, 'database', underWay));
  }

  /**
   * A call that is repeated while the database is away gets the number it was given before, as long as the claim is
   * open: neither product line nor campaign need be read for that.
   */
  async deferredBefore(keys: AttemptKeys): Promise<AttemptOutcome | null> {
    try {
      const claim = await this.pending.openClaim(keys);
      if (claim === null) return null;
      // Settled meanwhile; what came of it only the database could tell.
      if ((await this.pending.defer(claim.tenantId, [claim])) === 0) return null;
      return { kind: 'PROCESSING', redemptionId: claim.redemptionId };
    } catch (error) {
      if (error instanceof StoreUnavailableError) return null;
      throw error;
    }
  }

  /** PROCESSING is answered only when a job stands behind it, so that the end of this process changes nothing. */
  private async defer(claim: Claim): Promise<AttemptOutcome> {
    const { tenantId, redemptionId } = claim;
    const isOpen = (await this.pending.defer(tenantId, [claim])) > 0;
    const record = isOpen ? null : await this.settledMeanwhile(claim);
    if (record !== null && record.status !== 'ABORTED') return { kind: 'COMMITTED', record };
    // Given up before it was deferred: its order fails at once, and does not wait for its job.
    if (record !== null) await this.aborts.abort(tenantId, [{ claim, reason: 'ABORTED' }]);
    return { kind: 'PROCESSING', redemptionId };
  }

  /** A claim that is not open is settled, or lost by Redis. If it is lost, or the database does not answer, its job stands. */
  private async settledMeanwhile({ tenantId, redemptionId }: Claim): Promise<RedemptionRecord | null> {
    try {
      return await this.reader.byId(tenantId, redemptionId);
    } catch (error) {
      if (!isStoreAway(error)) throw error;
      return null;
    }
  }
}
