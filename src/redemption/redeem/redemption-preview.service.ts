import type { MikroORM } from '@mikro-orm/core';
import { Campaign } from '../../campaigns/campaign.entity.js';
import { peekUsage } from '../../campaigns/campaign-usage.service.js';
import { effectiveEnd } from '../../codes/batch-gate.service.js';
import { CodeBatch } from '../../codes/code-batch.entity.js';
import { Code } from '../../codes/code.entity.js';
import { User } from '../../identity/users/user.entity.js';
import { StoreUnavailableError } from '../../platform/errors.js';
import { isStoreAway } from '../../platform/failures.js';
import type { Id, IdGenerator } from '../../platform/ids.js';
import { tenantEm, type Em } from '../../platform/database/orm.js';
import { withoutPlace } from '../../platform/scheduling/held-place.js';
import { within } from '../../platform/scheduling/timeout.js';
import { Tenant } from '../../tenancy/tenant.entity.js';
import { admit, rateLimited, type Admitted } from './admit.js';
import type { Attempt, EligibilityService, Prepared } from './eligibility.service.js';
import type { Claim } from '../claim/claim.js';
import type { LoadedCode } from '../claim/code-loader.js';
import { limitedUses, refusalOf, type ClaimFacts } from '../commit/commit-guards.js';
import type { LockedRows } from '../commit/commit-locks.js';
import type { HeldUses } from '../claim/held-uses.js';
import { Refused } from './attempt-outcome.js';
import type { RedeemRequest, Refusal } from './redeem-request.js';
import { evenOut, type RefusalNotes } from './refusal-notes.js';
import type { RedemptionReader } from '../history/redemption-reader.js';
import type { RedemptionRedis } from '../claim/redemption.redis.js';
import { HELD_RETRY_MS } from '../redemption.errors.js';
import { forecastRewards, type ForecastReward } from './reward-forecast.js';
import type { RewardHandlers } from '../../rewards/reward-handler.js';

export interface RedemptionPreview {
  readonly refusal: Refusal | null;
  /** Why it is SERVICE_UNAVAILABLE. */
  readonly storeAway: 'redis' | 'database' | null;
  readonly campaignName: string | null;
  readonly expiresAt: Date | null;
  readonly rewards: readonly ForecastReward[];
}

const NOTHING: RedemptionPreview = {
  refusal: null,
  storeAway: null,
  campaignName: null,
  expiresAt: null,
  rewards: [],
};

/**
 * Answers what redeeming a code would come to: `EligibilityService` and then `refusalOf` judge it, as they judge a
 * redemption, here by rows that are only read. Changes nothing.
 * Previews are counted in windows of their own: else they would be a free oracle for guessers.
 */
export class RedemptionPreviewService {
  constructor(
    private readonly orm: MikroORM,
    private readonly ids: IdGenerator,
    readonly redis: RedemptionRedis,
    readonly eligibility: EligibilityService,
    private readonly reader: RedemptionReader,
    private readonly handlers: RewardHandlers,
    private readonly heldUses: Pick<HeldUses, 'settled' | 'waitMs'>,
    private readonly refusals: RefusalNotes,
    private readonly timeoutMs: number,
  ) {}

  async preview(asked: RedeemRequest): Promise<RedemptionPreview> {
    const beganMs = performance.now();
    const request = { ...asked, idempotencyKey: null, isPreview: true };
    try {
      const judged = await this.judge(request);
      if (!(judged instanceof Refused)) return judged;
      this.refusals.log(request, judged);
      if (judged.isFolded) await withoutPlace(async () => evenOut(beganMs));
      return { ...NOTHING, refusal: judged.answered };
    } catch (error) {
      if (!isStoreAway(error)) throw error;
      const storeAway = error instanceof StoreUnavailableError ? error.store : 'database';
      return { ...NOTHING, refusal: new Refused('SERVICE_UNAVAILABLE').answered, storeAway };
    }
  }

  private async judge(request: RedeemRequest): Promise<RedemptionPreview | Refused> {
    const eligible = await this.inTime(this.prepare(request));
    if (eligible instanceof Refused) return eligible;
    const { claim, prepared, admission, nowMs } = eligible;
    const { attempt } = admission;
    const { rows, refusal } = await this.settledRefusal(claim, prepared);
    if (refusal !== null) {
      const retryAfterMs = refusal === 'CODE_HELD' ? HELD_RETRY_MS : null;
      const refused = new Refused(refusal, null, retryAfterMs);
      return this.counted(claim.redemptionId, admission, refused, prepared.code);
    }
    const rewards = await this.inTime(forecastRewards(this.handlers, attempt, prepared.rewards, nowMs));
    const isIdle = rewards.length > 0 && rewards.every(({ hasEffect }) => !hasEffect);
    if (isIdle) return new Refused('REWARD_HAS_NO_EFFECT');
    return {
      refusal: null,
      storeAway: null,
      campaignName: prepared.campaign.name,
      expiresAt: endOf(claim, rows),
      rewards,
    };
  }

  private async prepare(request: RedeemRequest) {
    const begun = await this.eligibility.begin(request);
    if (begun instanceof Refused) return begun;
    const id = this.ids.next();
    const admission = await admit(this, id, begun);
    const { attempt, admitted } = admission;
    if (admitted.status === 'RATE_LIMITED') return rateLimited(attempt, admitted);
    const code = await this.eligibility.findCode(attempt, admitted);
    if (code instanceof Refused) return this.counted(id, admission, code);
    const { nowMs } = admitted;
    const terms = await this.eligibility.terms(attempt, code, admitted);
    const prepared =
      terms instanceof Refused ? terms : await this.eligibility.prepare(attempt, code, terms, nowMs);
    if (prepared instanceof Refused) return this.counted(id, admission, prepared, code);
    return { admission, prepared, nowMs, claim: hypotheticalClaim(id, attempt, prepared, nowMs) };
  }

  /** Waits for open claims as a redemption does, and like that says CODE_HELD only of those that take longer. */
  private async settledRefusal(claim: Claim, prepared: Prepared) {
    const untilMs = performance.now() + this.heldUses.waitMs;
    for (;;) {
      const facts = await this.inTime(this.readFacts(claim, prepared));
      const judged = { rows: facts.rows, refusal: refusalOf(claim, facts)?.refusal ?? null };
      if (judged.refusal !== 'CODE_HELD') return judged;
      // The wait looks at the copy.
      await this.eligibility.keepCopy(claim.tenantId, prepared.code);
      // Without a place: else a few users who look at one code would hold those of all their tenant's users.
      const isSettled = await withoutPlace(async () =>
        this.heldUses.settled(claim.tenantId, claim.digest, untilMs),
      );
      if (!isSettled) return judged;
    }
  }

  /** Keeps the copy, as a redemption that is refused does: it says whose code it is. */
  private async counted(
    id: Id,
    admission: Admitted,
    refused: Refused,
    code: LoadedCode | null = null,
  ): Promise<Refused> {
    if (code !== null) await this.eligibility.keepCopy(admission.attempt.tenantId, code);
    return this.refusals.judged(id, admission.attempt.limits, admission, refused);
  }

  private async inTime<T>(work: Promise<T>): Promise<T> {
    return within(this.timeoutMs, 'database', work);
  }

  /** Claims are counted before the rows are read: one that commits in between is then counted twice, never not at all. */
  private async readFacts(claim: Claim, { userRefusal, rewardRefusal }: Prepared): Promise<ClaimFacts> {
    const { tenantId, userId, codeId, digest } = claim;
    const em = tenantEm(this.orm, tenantId);
    const openClaims = await this.redis.openClaims(tenantId, digest);
    const rows = await readRows(em, claim);
    const first = await this.reader.byCodeAndUser({ tenantId, userId, codeId });
    const usage = await peekUsage(em, tenantId, limitedUses([claim], rows));
    return { rows, first, usage, openClaims, userRefusal, rewardRefusal: () => rewardRefusal };
  }
}

function endOf({ codeId, batchId }: Claim, { codes, batches }: LockedRows): Date | null {
  const [code, batch] = [codes.get(codeId), batches.get(batchId)];
  return code === undefined || batch === undefined ? null : effectiveEnd(code, batch);
}

function hypotheticalClaim(redemptionId: string, attempt: Attempt, prepared: Prepared, nowMs: number): Claim {
  return {
    tenantId: attempt.tenantId,
    redemptionId,
    token: '',
    claimedAtMs: nowMs,
    isDeferred: false,
    userId: attempt.userId,
    ...prepared.code,
    productCode: attempt.productCode,
    deviceId: attempt.request.deviceId,
    idempotencyKey: null,
    rewards: prepared.rewards,
  };
}

async function readRows(em: Em, claim: Claim): Promise<LockedRows> {
  const plain = { disableIdentityMap: true } as const;
  const user = await em.findOne(User, { id: claim.userId }, plain);
  const code = await em.findOne(Code, { id: claim.codeId }, plain);
  const campaign = await em.findOne(Campaign, { id: claim.campaignId }, plain);
  const batch = await em.findOne(CodeBatch, { id: claim.batchId }, plain);
  const tenant = await em.findOne(Tenant, { id: claim.tenantId }, plain);
  return {
    tenantStatus: tenant?.status ?? null,
    users: mapOf(user),
    codes: mapOf(code === null ? null : { ...code, versionBefore: code.version }),
    campaigns: mapOf(campaign),
    batches: mapOf(batch),
  };
}

function mapOf<Row extends { readonly id: string }>(row: Row | null): Map<string, Row> {
  return new Map(row === null ? [] : [[row.id, row]]);
}
