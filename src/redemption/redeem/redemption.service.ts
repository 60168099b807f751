import { setTimeout as pause } from 'node:timers/promises';
import { StoreUnavailableError } from '../../platform/errors.js';
import type { Id, IdGenerator } from '../../platform/ids.js';
import type { Logger } from '../../platform/observability/log.js';
import type { RedemptionMetrics } from '../redemption.metrics.js';
import { isServerAway } from '../../platform/database/sql-errors.js';
import { within } from '../../platform/scheduling/timeout.js';
import { admit, type Admitted } from './admit.js';
import type { Attempt, EligibilityService, Prepared } from './eligibility.service.js';
import { parseClaim, type Claim } from '../claim/claim.js';
import type { ClaimResult, CodeClaimer } from '../claim/code-claimer.js';
import type { CommitOutcome } from '../commit/commit-outcome.js';
import type { PendingRedemptions } from '../deferred/pending-redemptions.js';
import { Refused, type RedeemAnswer, type RedeemRequest } from './redeem-request.js';
import { orderNoOf, type RedemptionRecord } from '../history/redemption-record.js';
import type { RedemptionReader } from '../history/redemption-reader.js';
import type {
  AdmitReply,
  AttemptKeys,
  ClaimReply,
  KnownRedemption,
  RedemptionRedis,
} from '../claim/redemption.redis.js';
import {
  HELD_RETRY_MS,
  isRedeemRefusal,
  uniformRefusal,
  yieldsToKnownKey,
  type RedeemRefusal,
} from '../redemption.errors.js';
import type { AbortService } from '../commit/abort.service.js';
import type { GroupCommit } from '../commit/group-commit.js';

/** After a tombstone of its id, an attempt starts again with a new one. */
const STARTS_MAX = 3;
const DRAIN_LOOK_MS = 20;

/** Whose log to write to; asked for only when there is something to write. */
export interface LogScope {
  readonly log: Logger;
}

export interface RedemptionServiceSettings {
  /** Folds the refusals that tell a guesser something. */
  readonly uniformRefusals: boolean;
  /** How long reads before the claim may take. */
  readonly storeTimeoutMs: number;
  /** How long a caller waits for the commit before the answer is PROCESSING. */
  readonly replyWithinMs: number;
}

/** Redeems codes: Redis admits, the database decides, and the reply follows the commit. */
export class RedemptionService {
  private underWay = 0;

  constructor(
    private readonly ids: IdGenerator,
    private readonly redis: RedemptionRedis,
    private readonly eligibility: EligibilityService,
    private readonly claimer: CodeClaimer,
    private readonly reader: RedemptionReader,
    private readonly groupCommit: GroupCommit,
    private readonly aborts: AbortService,
    private readonly pending: PendingRedemptions,
    private readonly metrics: RedemptionMetrics,
    private readonly settings: RedemptionServiceSettings,
  ) {}

  /** Redeems a code for a user, exactly once. A refusal is an answer; only defects are thrown. */
  async redeem(request: RedeemRequest, scope: LogScope): Promise<RedeemAnswer> {
    const stop = this.metrics.claimSeconds.startTimer();
    this.underWay += 1;
    const leave = this.groupCommit.expect(request.tenantId);
    try {
      const answer = await this.answer(request, scope);
      if (answer.refusal === null) this.metrics.claims.inc({ outcome: answer.status });
      return answer;
    } finally {
      this.underWay -= 1;
      leave();
      stop();
    }
  }

  /**
   * Resolves when every call is answered, which takes no longer than a caller waits. What the database has not taken
   * by then has been handed over.
   */
  async drained(): Promise<void> {
    while (this.underWay > 0) await pause(DRAIN_LOOK_MS);
  }

  private async answer(request: RedeemRequest, scope: LogScope): Promise<RedeemAnswer> {
    try {
      const record = await this.inTime(this.eligibility.begin(request)).then(
        async (attempt) => this.start(attempt),
        async (error: unknown) => this.knownByKey(this.eligibility.keysOf(request), error),
      );
      return committed(record);
    } catch (error) {
      if (error instanceof Refused) return this.refused(error);
      if (error instanceof StillProcessing) return processing(error.redemptionId);
      if (!isStoreFailure(error)) throw error;
      const promised = isRedisFailure(error) ? null : await this.deferredBefore(request);
      if (promised !== null) return processing(promised);
      scope.log.warn({ err: error }, 'a store did not answer');
      return this.refused(new Refused('SERVICE_UNAVAILABLE'));
    }
  }

  /**
   * A call that is repeated while the database is away gets the number it was given before, as long as the claim is
   * open: neither product line nor campaign need be read for that.
   */
  private async deferredBefore(request: RedeemRequest): Promise<Id | null> {
    try {
      const claim = await this.pending.openClaim(this.eligibility.keysOf(request));
      if (claim === null) return null;
      // Settled meanwhile; what came of it only the database could tell.
      if ((await this.pending.defer(claim.tenantId, [claim])) === 0) return null;
      return claim.redemptionId;
    } catch (error) {
      if (error instanceof StoreUnavailableError) return null;
      throw error;
    }
  }

  /** One redemption id after another, until one is settled. Only the first counts as an attempt. */
  private async start(attempt: Attempt): Promise<RedemptionRecord> {
    const attemptId = this.ids.next();
    for (let start = 1; start <= STARTS_MAX; start += 1) {
      const redemptionId = start === 1 ? attemptId : this.ids.next();
      const windows = start === 1 ? attempt.windows : [];
      const admission = await admit(this.redis, redemptionId, attempt, windows);
      try {
        const record = await this.runOnce(admission, redemptionId);
        if (record === null) continue;
        if (isReplayOf(attempt, record, redemptionId)) await this.uncount(attempt, attemptId);
        return record;
      } catch (error) {
        const known = await this.knownByKey(attempt, error);
        await this.uncount(attempt, attemptId);
        return known;
      }
    }
    throw new StoreUnavailableError('redis', {
      cause: 'Every id of this attempt was given up by somebody else.',
    });
  }

  /** A replay of a known key does not count. Where Redis does not answer it does: the answer is not held up by that. */
  private async uncount(attempt: Attempt, attemptId: Id): Promise<void> {
    try {
      await this.redis.forgetAttempt(attemptId, attempt.windows);
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
    }
  }

  /** @returns null when the id was given up, and a new one may try */
  private async runOnce({ attempt, admitted }: Admitted, redemptionId: Id): Promise<RedemptionRecord | null> {
    if (admitted.status === 'KNOWN') return this.settleKnown(attempt, admitted);
    if (admitted.status === 'RATE_LIMITED') throw new Refused('RATE_LIMITED', null, admitted.retryAfterMs);
    const prepared = await this.inTime(this.prepare(attempt, admitted));
    const claimed = await this.claimer.claim(attempt, prepared, redemptionId, admitted);
    return this.afterClaim({ ...attempt, digest: claimed.digest }, prepared, redemptionId, claimed);
  }

  private async prepare(attempt: Attempt, admitted: AdmitReply): Promise<Prepared> {
    const code = await this.eligibility.findCode(attempt, admitted);
    try {
      return await this.eligibility.prepare(attempt, code, admitted);
    } catch (error) {
      // What is refused is likely to come again; then it is refused without the database.
      if (error instanceof Refused) await this.eligibility.keepCopy(attempt.tenantId, code.unstored);
      throw error;
    }
  }

  private async afterClaim(
    attempt: Attempt,
    prepared: Prepared,
    redemptionId: Id,
    { snapshot, reply }: ClaimResult,
  ): Promise<RedemptionRecord | null> {
    switch (reply.status) {
      case 'CLAIMED':
        return this.commit({
          ...snapshot,
          tenantId: attempt.tenantId,
          redemptionId,
          digest: attempt.digest,
          token: reply.token,
          claimedAtMs: reply.nowMs,
          isDeferred: false,
        });
      case 'KNOWN':
      case 'JOIN':
        return this.settleKnown(attempt, reply);
      case 'ALREADY_REDEEMED':
        return unlessRefused(
          redemptionId,
          new Refused('ALREADY_REDEEMED', await this.firstOf(attempt, prepared, reply.redemptionId)),
        );
      case 'REFUSED':
        return unlessRefused(redemptionId, await this.refusalOf(attempt, prepared, reply));
    }
  }

  /** Follows an idempotency key, or the first click, to its redemption: joins, adopts, or reads it. */
  private async settleKnown(attempt: Attempt, known: KnownRedemption): Promise<RedemptionRecord | null> {
    const { tenantId, digest } = attempt;
    const { redemptionId } = known;
    if (known.digest !== digest) return this.unlessReused(attempt, known);
    if (known.claim !== '') return this.commit(parseClaim(tenantId, redemptionId, digest, known.claim));
    const underWay = this.groupCommit.joining(redemptionId);
    if (underWay !== undefined)
      return this.resultOf(await within(this.settings.replyWithinMs, 'database', underWay));
    const settled = await this.settledOrPending(tenantId, redemptionId);
    if (settled !== null && 'claimedAtMs' in settled) return this.commit(settled);
    if (settled !== null && settled.status !== 'ABORTED') return settled;
    // Neither open nor committed: what Redis has kept of it leads nowhere.
    if (attempt.idempotencyKey !== null) await this.redis.forgetMarker(attempt, known);
    return null;
  }

  /**
   * The row of a redemption, else the claim that Redis has lost while its job was waiting. The row comes first: what is
   * settled must not hang on the job queue. While the database is away the job alone can tell.
   */
  private async settledOrPending(
    tenantId: string,
    redemptionId: Id,
  ): Promise<RedemptionRecord | Claim | null> {
    const pending = async (): Promise<Claim | null> => this.pending.find(tenantId, redemptionId);
    let row: RedemptionRecord | null;
    try {
      row = await this.reader.byId(tenantId, redemptionId);
    } catch (error) {
      if (!isStoreFailure(error)) throw error;
      const claim = await pending();
      if (claim === null) throw error;
      return claim;
    }
    return row ?? pending();
  }

  /** A key is taken by another code until its redemption is given up; Redis may have missed that. */
  private async unlessReused(attempt: Attempt, known: KnownRedemption): Promise<null> {
    const record = await this.reader.byId(attempt.tenantId, known.redemptionId);
    if (record?.status !== 'ABORTED') throw new Refused('IDEMPOTENCY_KEY_REUSED');
    await this.redis.forgetMarker(attempt, known);
    return null;
  }

  /**
   * A commit that takes long goes on; the caller gets the order number and hears of the outcome by push. It is
   * promised only when a job stands behind it, so that the end of this process changes nothing.
   */
  private async commit(claim: Claim): Promise<RedemptionRecord | null> {
    const { tenantId, redemptionId } = claim;
    const settling = this.groupCommit.settle(claim);
    let outcome: CommitOutcome;
    try {
      outcome = await within(this.settings.replyWithinMs, 'database', settling);
    } catch (error) {
      if (!isStoreFailure(error)) throw error;
      const isOpen = (await this.pending.defer(tenantId, [claim])) > 0;
      claim.isDeferred = true;
      const settled = isOpen ? null : await this.settledMeanwhile(claim);
      if (settled !== null && settled.status !== 'ABORTED') return settled;
      // Given up before it was deferred: its order fails at once, and does not wait for its job.
      if (settled !== null) await this.aborts.abort(tenantId, [{ claim, reason: 'ABORTED' }]);
      throw new StillProcessing(redemptionId);
    }
    return this.resultOf(outcome);
  }

  /** A claim that is not open is settled, or Redis has lost it; then, or when it cannot be told, its job stands. */
  private async settledMeanwhile({ tenantId, redemptionId }: Claim): Promise<RedemptionRecord | null> {
    try {
      return await this.reader.byId(tenantId, redemptionId);
    } catch (error) {
      if (!isStoreFailure(error)) throw error;
      return null;
    }
  }

  /** What is read before the claim is read in time, or the caller is told that a store is away. */
  private async inTime<T>(work: Promise<T>): Promise<T> {
    return within(this.settings.storeTimeoutMs, 'database', work);
  }

  private resultOf(outcome: CommitOutcome): RedemptionRecord | null {
    switch (outcome.kind) {
      case 'COMMITTED':
      case 'SETTLED':
      case 'REPLAYED':
        return outcome.record;
      case 'ABORTED':
        return null;
      case 'REFUSED':
        throw new Refused(outcome.refusal, outcome.refusal === 'ALREADY_REDEEMED' ? outcome.first : null);
    }
  }

  /** What Redis refused; "already redeemed" comes before limits, and sometimes only the database can tell. */
  private async refusalOf(
    attempt: Attempt,
    prepared: Prepared,
    reply: Extract<ClaimReply, { status: 'REFUSED' }>,
  ): Promise<Refused> {
    if (!isRedeemRefusal(reply.refusal)) throw new Error(`claim-code answered ${reply.refusal}.`);
    if (reply.unsure) {
      const first = await this.firstOf(attempt, prepared, null);
      if (first !== null) return new Refused('ALREADY_REDEEMED', first);
    }
    return new Refused(reply.refusal, null, reply.refusal === 'CODE_HELD' ? HELD_RETRY_MS : null);
  }

  private async firstOf(
    attempt: Attempt,
    prepared: Prepared,
    known: Id | null,
  ): Promise<RedemptionRecord | null> {
    const { tenantId, userId } = attempt;
    if (known !== null) return this.reader.byId(tenantId, known);
    return this.reader.byCodeAndUser({ tenantId, userId, codeId: prepared.code.codeId });
  }

  /** A committed key answers the same for ever, also when Redis has forgotten it, whatever the refusal is by now. */
  private async knownByKey(attempt: AttemptKeys, refused: unknown): Promise<RedemptionRecord> {
    const { tenantId, userId, idempotencyKey } = attempt;
    if (!(refused instanceof Refused) || idempotencyKey === null || !yieldsToKnownKey(refused.refusal))
      throw refused;
    const record = await this.reader.byKey({ tenantId, userId, idempotencyKey });
    if (record === null) throw refused;
    const digest = await this.reader.digestOfCode(tenantId, record.codeId);
    const isSame = digest !== null && attempt.digests.includes(digest);
    if (!isSame) throw new Refused('IDEMPOTENCY_KEY_REUSED');
    return record;
  }

  private refused({ refusal, first, retryAfterMs }: Refused): RedeemAnswer {
    this.metrics.claims.inc({ outcome: refusal });
    const code: RedeemRefusal = this.settings.uniformRefusals ? uniformRefusal(refusal) : refusal;
    return {
      status: 'REFUSED',
      redemption: first,
      orderNo: first === null ? null : orderNoOf(first.id),
      // A time to wait would tell the folded refusals apart again.
      refusal: { code, retryAfterMs: code === refusal ? retryAfterMs : null },
    };
  }
}

/**
 * The redemption that stands in this one's way may be this one: the reply to its claim was lost, and before the claim
 * was sent again another process had adopted it and committed it.
 */
function unlessRefused(redemptionId: Id, refused: Refused): RedemptionRecord {
  if (refused.first?.id === redemptionId) return refused.first;
  throw refused;
}

function isRedisFailure(error: unknown): boolean {
  return error instanceof StoreUnavailableError && error.store === 'redis';
}

function isStoreFailure(error: unknown): boolean {
  return error instanceof StoreUnavailableError || isServerAway(error);
}

/** The claim stands and a job will settle it, but the caller has waited long enough. */
class StillProcessing extends Error {
  constructor(readonly redemptionId: Id) {
    super('The commit takes longer than a caller waits.');
  }
}

function processing(redemptionId: Id): RedeemAnswer {
  return { status: 'PROCESSING', redemption: null, orderNo: orderNoOf(redemptionId), refusal: null };
}

/** Redis had forgotten the key, so the attempt was counted; a replay of a known key does not count. */
function isReplayOf(attempt: Attempt, record: RedemptionRecord, redemptionId: Id): boolean {
  const { idempotencyKey } = attempt;
  return idempotencyKey !== null && record.idempotencyKey === idempotencyKey && record.id !== redemptionId;
}

function committed(record: RedemptionRecord): RedeemAnswer {
  return { status: 'COMMITTED', redemption: record, orderNo: orderNoOf(record.id), refusal: null };
}
