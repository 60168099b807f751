import { isStoreAway } from '../../platform/failures.js';
import type { Id } from '../../platform/ids.js';
import { parseClaim, type Claim } from '../claim/claim.js';
import type { AttemptKeys, KnownRedemption, RedemptionRedis } from '../claim/redemption.redis.js';
import type { ReturnedUsesRedis } from '../claim/returned-uses.redis.js';
import type { PendingRedemptions } from '../deferred/pending-redemptions.js';
import type { RedemptionRecord } from '../history/redemption-record.js';
import type { RedemptionReader } from '../history/redemption-reader.js';
import { yieldsToKnownKey } from '../redemption.errors.js';
import { ABORTED, Refused, type AttemptOutcome } from './attempt-outcome.js';
import type { ClaimSettlement } from './claim-settlement.js';

/** Answers attempts by redemptions that there are already: those of an idempotency key, or of a first click. */
export class KnownRedemptions {
  constructor(
    private readonly redis: RedemptionRedis,
    private readonly returnedUses: Pick<ReturnedUsesRedis, 'forgetDone'>,
    private readonly reader: RedemptionReader,
    private readonly pending: PendingRedemptions,
    private readonly settlement: ClaimSettlement,
  ) {}

  /** Follows an idempotency key, or the first click, to its redemption: joins, adopts, or reads it. */
  async follow(attempt: AttemptKeys, known: KnownRedemption): Promise<AttemptOutcome> {
    const { tenantId, digest } = attempt;
    const { redemptionId } = known;
    if (known.digest !== digest) return this.unlessAborted(attempt, known);
    if (known.claim !== '')
      return this.settlement.settle(parseClaim(tenantId, redemptionId, digest, known.claim));
    const joined = await this.settlement.joined({ tenantId, redemptionId });
    if (joined !== null) return joined;
    const settled = await this.settledOrPending(tenantId, redemptionId);
    if (settled !== null && 'claimedAtMs' in settled) return this.settlement.settle(settled);
    if (settled !== null && settled.status !== 'ABORTED') return { kind: 'COMMITTED', record: settled };
    // Neither open nor committed: what Redis has kept of it leads nowhere.
    if (attempt.idempotencyKey !== null) await this.redis.forgetMarker(attempt, known);
    return ABORTED;
  }

  /** A committed key answers the same for ever, also when Redis has forgotten it, whatever the refusal is by now. */
  async unlessKnown(attempt: AttemptKeys, refused: Refused): Promise<AttemptOutcome> {
    const { tenantId, userId, idempotencyKey } = attempt;
    if (idempotencyKey === null || !yieldsToKnownKey(refused.refusal)) return refused;
    const record = await this.reader.byKey({ tenantId, userId, idempotencyKey });
    if (record === null) return refused;
    const digest = await this.reader.digestOfCode(tenantId, record.codeId);
    const isSame = digest !== null && attempt.digests.includes(digest);
    return isSame ? { kind: 'COMMITTED', record } : new Refused('IDEMPOTENCY_KEY_REUSED');
  }

  /**
   * What it means that this user has redeemed the code already. Where the use was given back since, a confirmation that
   * came late has left a marker, and the attempt may begin again.
   */
  async alreadyRedeemed(attempt: AttemptKeys, first: RedemptionRecord | null): Promise<AttemptOutcome> {
    if (first?.status !== 'REVERSED' || first.userUseNo !== null)
      return new Refused('ALREADY_REDEEMED', first);
    const { tenantId, userId, digest } = attempt;
    await this.returnedUses.forgetDone(tenantId, { redemptionId: first.id, userId, digest });
    return ABORTED;
  }

  /** A key is taken by another code until its redemption is aborted; Redis may have missed that. */
  private async unlessAborted(attempt: AttemptKeys, known: KnownRedemption): Promise<AttemptOutcome> {
    const record = await this.reader.byId(attempt.tenantId, known.redemptionId);
    if (record?.status !== 'ABORTED') return new Refused('IDEMPOTENCY_KEY_REUSED');
    await this.redis.forgetMarker(attempt, known);
    return ABORTED;
  }

  /**
   * The row of a redemption, else the claim that Redis has lost while its job was waiting. The row comes first: what is
   * settled must not hang on the job queue. While the database is away the job alone can tell.
   */
  private async settledOrPending(
    tenantId: string,
    redemptionId: Id,
  ): Promise<RedemptionRecord | Claim | null> {
    let row: RedemptionRecord | null;
    try {
      row = await this.reader.byId(tenantId, redemptionId);
    } catch (error) {
      if (!isStoreAway(error)) throw error;
      const claim = await this.pending.find(tenantId, redemptionId);
      if (claim === null) throw error;
      return claim;
    }
    return row ?? this.pending.find(tenantId, redemptionId);
  }
}
