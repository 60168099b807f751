import { setTimeout as pause } from 'node:timers/promises';
import type { AttemptLimits } from '../../limits/rate-limit.service.js';
import { StoreUnavailableError } from '../../platform/errors.js';
import { isStoreAway } from '../../platform/failures.js';
import type { Id, IdGenerator } from '../../platform/ids.js';
import type { Logger } from '../../platform/observability/log.js';
import { within } from '../../platform/scheduling/timeout.js';
import { admit, rateLimited, refusalByCopy, uncounted, type Admission, type Admitted } from './admit.js';
import { Refused, type AttemptOutcome } from './attempt-outcome.js';
import type { ClaimSettlement } from './claim-settlement.js';
import type { Attempt, EligibilityService, Prepared } from './eligibility.service.js';
import type { KnownRedemptions } from './known-redemptions.js';
import type { ClaimResult, CodeClaimer } from './code-claimer.js';
import type { LoadedCode } from '../claim/code-loader.js';
import type { AdmitReply, ClaimReply, RedemptionRedis } from '../claim/redemption.redis.js';
import type { GroupCommit } from '../commit/group-commit.js';
import type { RedeemAnswer, RedeemRequest } from './redeem-request.js';
import { evenOut, type RefusalNotes } from './refusal-notes.js';
import { orderNoOf, type RedemptionRecord } from '../history/redemption-record.js';
import type { RedemptionReader } from '../history/redemption-reader.js';
import type { RedemptionMetrics } from '../redemption.metrics.js';
import { HELD_RETRY_MS, refusalOfScript } from '../redemption.errors.js';

/** After a tombstone of its id, an attempt starts again with a new one. */
const STARTS_MAX = 3;
const DRAIN_LOOK_MS = 20;

/** Whose log to write to; asked for only when there is something to write. */
export interface LogScope {
  readonly log: Logger;
}

export interface RedemptionServiceParts {
  readonly ids: IdGenerator;
  readonly redis: RedemptionRedis;
  readonly eligibility: EligibilityService;
  readonly claimer: CodeClaimer;
  readonly reader: RedemptionReader;
  readonly groupCommit: Pick<GroupCommit, 'expect'>;
  readonly settlement: ClaimSettlement;
  readonly known: KnownRedemptions;
  readonly refusals: RefusalNotes;
  readonly metrics: Pick<RedemptionMetrics, 'claims' | 'claimSeconds'>;
  /** How long reads before the claim may take. */
  readonly storeTimeoutMs: number;
}

/** Redeems codes: Redis admits, the database decides, and the reply follows the commit. */
export class RedemptionService {
  private underWay = 0;
  private readonly admission: Admission;

  constructor(private readonly parts: RedemptionServiceParts) {
    const { redis, eligibility } = parts;
    const limitedAgain: Admission['eligibility']['limitedAgain'] = async (attempt, version) =>
      this.inTime(eligibility.limitedAgain(attempt, version));
    this.admission = { redis, eligibility: { limitedAgain } };
  }

  /** Redeems a code for a user, exactly once. A refusal is an answer; only defects are thrown. */
  async redeem(request: RedeemRequest, scope: LogScope): Promise<RedeemAnswer> {
    const beganMs = performance.now();
    this.underWay += 1;
    try {
      const answered = await this.judged(request, scope);
      if (answered.refusal?.code === 'CODE_REFUSED') await evenOut(beganMs);
      return answered;
    } finally {
      this.underWay -= 1;
    }
  }

  /**
   * Resolves when every call is answered, which takes no longer than a caller waits. What the database has not taken
   * by then has been deferred.
   */
  async drained(): Promise<void> {
    while (this.underWay > 0) await pause(DRAIN_LOOK_MS);
  }

  private async judged(request: RedeemRequest, scope: LogScope): Promise<RedeemAnswer> {
    const { metrics, groupCommit, refusals } = this.parts;
    const stop = metrics.claimSeconds.startTimer();
    const leave = groupCommit.expect(request.tenantId);
    let answered: RedeemAnswer | null = null;
    try {
      const outcome = await this.attempt(request, scope);
      if (outcome.kind === 'REFUSED') refusals.log(request, outcome);
      answered = this.answerOf(outcome);
      return answered;
    } finally {
      leave(answered?.status === 'COMMITTED');
      stop();
    }
  }

  private async attempt(request: RedeemRequest, scope: LogScope): Promise<AttemptOutcome> {
    const { eligibility, known, settlement } = this.parts;
    try {
      const attempt = await this.inTime(eligibility.begin(request));
      if (attempt instanceof Refused) return await known.unlessKnown(eligibility.keysOf(request), attempt);
      return await this.start(attempt);
    } catch (error) {
      if (!isStoreAway(error)) throw error;
      const isRedisAway = error instanceof StoreUnavailableError && error.store === 'redis';
      const before = isRedisAway ? null : await settlement.deferredBefore(eligibility.keysOf(request));
      if (before !== null) return before;
      scope.log.warn({ err: error }, 'a store did not answer');
      return new Refused('SERVICE_UNAVAILABLE');
    }
  }

  /** One redemption id after another, until one is settled. Only the first counts as an attempt. */
  private async start(attempt: Attempt): Promise<AttemptOutcome> {
    const { ids, known, refusals } = this.parts;
    const attemptId = ids.next();
    let { limits } = attempt;
    for (let start = 1; start <= STARTS_MAX; start += 1) {
      const redemptionId = start === 1 ? attemptId : ids.next();
      const begun = start === 1 ? attempt : uncounted(attempt);
      const admission = await admit(this.admission, redemptionId, begun);
      if (start === 1) ({ limits } = admission.attempt);
      let outcome = await this.runOnce(admission, redemptionId);
      if (outcome.kind === 'ABORTED') continue;
      if (outcome.kind === 'REFUSED') outcome = await known.unlessKnown(attempt, outcome);
      if (outcome.kind === 'REFUSED') outcome = await refusals.judged(attemptId, limits, admission, outcome);
      if (isReplay(outcome, attempt, redemptionId)) await this.uncount(limits, attemptId);
      return outcome;
    }
    throw new StoreUnavailableError('redis', {
      cause: 'Another process aborted every id of this attempt.',
    });
  }

  private async runOnce({ attempt, admitted }: Admitted, redemptionId: Id): Promise<AttemptOutcome> {
    if (admitted.status === 'KNOWN') return this.parts.known.follow(attempt, admitted);
    if (admitted.status === 'RATE_LIMITED') return rateLimited(attempt, admitted);
    const prepared = await this.inTime(this.prepare(attempt, admitted));
    if (prepared instanceof Refused) return prepared;
    const claimed = await this.parts.claimer.claim(attempt, prepared, redemptionId, admitted);
    const { campaignId } = prepared.code;
    if (claimed instanceof Refused) return claimed.ofCampaign(campaignId);
    const claimedAs = { ...attempt, digest: claimed.digest };
    const outcome = await this.afterClaim(claimedAs, prepared, redemptionId, claimed);
    return outcome.kind === 'REFUSED' ? outcome.ofCampaign(campaignId) : outcome;
  }

  private async prepare(attempt: Attempt, admitted: AdmitReply): Promise<Prepared | Refused> {
    const { eligibility } = this.parts;
    const code = await eligibility.findCode(attempt, admitted);
    if (code instanceof Refused) return code;
    const prepared = await this.judge(attempt, code, admitted);
    // What is refused is likely to come again; then it is refused without the database.
    if (!(prepared instanceof Refused)) return prepared;
    await eligibility.keepCopy(attempt.tenantId, code);
    return prepared.ofCampaign(code.campaignId);
  }

  /** What the admission has refused by the copy needs no claim, and nothing read for rewards. */
  private async judge(attempt: Attempt, code: LoadedCode, admitted: AdmitReply): Promise<Prepared | Refused> {
    const { eligibility } = this.parts;
    const terms = await eligibility.terms(attempt, code, admitted);
    if (terms instanceof Refused) return terms;
    return refusalByCopy(admitted, terms) ?? eligibility.prepare(attempt, code, terms, admitted.nowMs);
  }

  private async afterClaim(
    attempt: Attempt,
    prepared: Prepared,
    redemptionId: Id,
    { snapshot, reply }: ClaimResult,
  ): Promise<AttemptOutcome> {
    const { tenantId, digest } = attempt;
    switch (reply.status) {
      case 'CLAIMED': {
        const { token, nowMs: claimedAtMs } = reply;
        const claim = { ...snapshot, tenantId, redemptionId, digest, token, claimedAtMs, isDeferred: false };
        return this.parts.settlement.settle(claim);
      }
      case 'KNOWN':
      case 'JOIN':
        return this.parts.known.follow(attempt, reply);
      case 'ALREADY_REDEEMED': {
        const first = await this.firstOf(attempt, prepared, reply.redemptionId);
        return unlessOwn(redemptionId, await this.parts.known.alreadyRedeemed(attempt, first));
      }
      case 'REFUSED':
        return unlessOwn(redemptionId, await this.refusalOf(attempt, prepared, reply));
    }
  }

  /** What Redis refused; "already redeemed" comes before limits, and sometimes only the database can tell. */
  private async refusalOf(
    attempt: Attempt,
    prepared: Prepared,
    reply: Extract<ClaimReply, { status: 'REFUSED' }>,
  ): Promise<Refused> {
    const refusal = refusalOfScript(reply.refusal);
    if (reply.unsure) {
      const first = await this.firstOf(attempt, prepared, null);
      if (first !== null) return new Refused('ALREADY_REDEEMED', first);
    }
    return new Refused(refusal, null, refusal === 'CODE_HELD' ? HELD_RETRY_MS : null);
  }

  private async firstOf(
    { tenantId, userId }: Attempt,
    { code: { codeId } }: Prepared,
    knownId: Id | null,
  ): Promise<RedemptionRecord | null> {
    const { reader } = this.parts;
    if (knownId !== null) return reader.byId(tenantId, knownId);
    return reader.byCodeAndUser({ tenantId, userId, codeId });
  }

  /** A replay of a known key does not count. Where Redis does not answer it does: the answer is not held up by that. */
  private async uncount({ windows }: AttemptLimits, attemptId: Id): Promise<void> {
    try {
      await this.parts.redis.forgetAttempt(attemptId, windows);
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
    }
  }

  /** Bounds a read before the claim; a late one is answered as SERVICE_UNAVAILABLE. */
  private async inTime<T>(work: Promise<T>): Promise<T> {
    return within(this.parts.storeTimeoutMs, 'database', work);
  }

  private answerOf(outcome: AttemptOutcome): RedeemAnswer {
    switch (outcome.kind) {
      case 'COMMITTED':
        this.parts.metrics.claims.inc({ outcome: 'COMMITTED' });
        return answer('COMMITTED', outcome.record.id, outcome.record);
      case 'PROCESSING':
        this.parts.metrics.claims.inc({ outcome: 'PROCESSING' });
        return answer('PROCESSING', outcome.redemptionId, null);
      case 'REFUSED':
        this.parts.metrics.claims.inc({ outcome: outcome.refusal });
        return { ...answer('REFUSED', outcome.first?.id ?? null, outcome.first), refusal: outcome.answered };
      case 'ABORTED':
        throw new Error('An attempt ended without an outcome.');
    }
  }
}

function answer(
  status: RedeemAnswer['status'],
  redemptionId: Id | null,
  redemption: RedemptionRecord | null,
): RedeemAnswer {
  const orderNo = redemptionId === null ? null : orderNoOf(redemptionId);
  return { status, redemption, orderNo, refusal: null };
}

/**
 * The redemption that stands in this one's way may be this one: the reply to its claim was lost, and before the claim
 * was sent again another process had adopted it and committed it.
 */
function unlessOwn(redemptionId: Id, outcome: AttemptOutcome): AttemptOutcome {
  const first = outcome.kind === 'REFUSED' ? outcome.first : null;
  return first?.id === redemptionId ? { kind: 'COMMITTED', record: first } : outcome;
}

/** Redis had forgotten the key, so the attempt was counted. */
function isReplay(outcome: AttemptOutcome, { idempotencyKey }: Attempt, redemptionId: Id): boolean {
  if (outcome.kind !== 'COMMITTED' || idempotencyKey === null) return false;
  return outcome.record.idempotencyKey === idempotencyKey && outcome.record.id !== redemptionId;
}
