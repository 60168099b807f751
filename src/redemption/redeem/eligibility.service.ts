import type { Campaign } from '../../campaigns/campaign.entity.js';
import type { CampaignReader } from '../../campaigns/campaign-reader.service.js';
import type { BatchGate } from '../../codes/batch-gate.service.js';
import type { CodeCopyService } from '../../codes/code-copy.service.js';
import type { CodeRecognizer } from '../../codes/code-recognizer.service.js';
import type { PersonRefusal } from '../../graphql/actor.js';
import type { AccessService } from '../../identity/access.service.js';
import { previewLimits, type AttemptLimits, type RateLimitService } from '../../limits/rate-limit.service.js';
import { StoreUnavailableError } from '../../platform/errors.js';
import type { Id } from '../../platform/ids.js';
import { within } from '../../platform/scheduling/timeout.js';
import type { RewardHandlers, RewardRefusal } from '../../rewards/reward-handler.js';
import type { ProductLine } from '../../tenancy/product-line.entity.js';
import type { ProductLineService } from '../../tenancy/product-line.service.js';
import type { ChosenReward } from '../claim/claim.js';
import type { CodeLoader, LoadedCode } from '../claim/code-loader.js';
import { VISIBLE_ASCII } from '../../platform/input.js';
import { keyDigest } from '../../platform/key-digest.js';
import { isCampaignOpen } from '../commit/commit-guards.js';
import type { RedeemRefusal } from '../redemption.errors.js';
import { Refused } from './attempt-outcome.js';
import type { RedeemRequest } from './redeem-request.js';
import type { AdmitReply, AttemptKeys } from '../claim/redemption.redis.js';
import type { RewardChoice } from './reward-choice.js';

/** How long an attempt waits to learn whether its tenant and its user may redeem. */
const ACCESS_PATIENCE_MS = 250;

/** What is known of an attempt before Redis is asked. */
export interface Attempt extends AttemptKeys {
  readonly request: RedeemRequest;
  readonly productCode: string;
  /** An attempt at no active product line is counted, and refused afterwards. */
  readonly isLineActive: boolean;
  /** Null when what was typed cannot be a code. */
  readonly canonical: string | null;
  readonly limits: AttemptLimits;
}

/** Of an open campaign and a batch that is not blocked. */
export interface Terms {
  readonly campaign: Campaign;
  /** A code of the batch that would end before this instant ends at it. */
  readonly extendedToMs: number | null;
}

/** What a claim needs, found out and judged before the code is touched. */
export interface Prepared extends Terms {
  readonly code: LoadedCode;
  readonly rewards: readonly ChosenReward[];
  /** Judged behind what the user has done with the code before, so the claim script answers it. */
  readonly userRefusal: 'USER_NOT_ELIGIBLE' | null;
  /** The last of all guards, so the claim script answers it only when nothing else refuses. */
  readonly rewardRefusal: RewardRefusal | 'NO_REWARD_FOR_USER' | null;
}

type Admitted = Pick<AdmitReply, 'epoch' | 'nowMs'>;

export interface EligibilityParts {
  readonly access: AccessService;
  readonly lines: ProductLineService;
  readonly limits: RateLimitService;
  readonly recognizer: CodeRecognizer;
  readonly batchGate: BatchGate;
  readonly copies: CodeCopyService;
  readonly loader: CodeLoader;
  readonly campaigns: CampaignReader;
  readonly choice: RewardChoice;
  readonly handlers: RewardHandlers;
}

/** Steps 1 to 5 and 10 of the order of checks: everything about an attempt that is not the state of the code. */
export class EligibilityService {
  constructor(private readonly services: EligibilityParts) {}

  /** What Redis knows an attempt by; computed without a request to a store. */
  keysOf({ tenantId, userId, code, idempotencyKey }: RedeemRequest): AttemptKeys {
    const canonical = this.services.recognizer.canonicalize(code);
    const digests = this.digestsOf(tenantId, canonical);
    return { tenantId, userId, ...digests, idempotencyKey: storedKey(tenantId, userId, idempotencyKey) };
  }

  /** Who redeems where, and under which limits. Every entry to a redemption comes this way, so no disabled caller gets further. */
  async begin(request: RedeemRequest): Promise<Attempt | Refused> {
    const { tenantId, userId, productCode, idempotencyKey } = request;
    const denied = await this.denialOf(request);
    const refusal = denied ?? refusalOfRequest(request);
    if (refusal !== null) return new Refused(refusal);
    if (productCode === null) return new Refused('PRODUCT_REQUIRED');
    const version = this.services.limits.version(tenantId);
    const line = await this.services.lines.find(tenantId, productCode);
    const canonical = this.services.recognizer.canonicalize(request.code);
    const digests = this.digestsOf(tenantId, canonical);
    return {
      request,
      tenantId,
      userId,
      ...digests,
      idempotencyKey: storedKey(tenantId, userId, idempotencyKey),
      productCode,
      isLineActive: line?.status === 'ACTIVE',
      canonical,
      limits: await this.limitsOf(request, line, version),
    };
  }

  /** The attempt under the limits of the given version, which were set after it began. */
  async limitedAgain(attempt: Attempt, version: string): Promise<Attempt> {
    const { tenantId, productCode, request } = attempt;
    this.services.limits.changed(tenantId, version);
    const line = await this.services.lines.find(tenantId, productCode);
    return {
      ...attempt,
      isLineActive: line?.status === 'ACTIVE',
      limits: await this.limitsOf(request, line, version),
    };
  }

  private async limitsOf(
    request: RedeemRequest,
    line: ProductLine | null,
    version: string,
  ): Promise<AttemptLimits> {
    const activeLine = line?.status === 'ACTIVE' ? line : null;
    const limits = await this.services.limits.ofAttempt(request.tenantId, activeLine, request, version);
    return request.isPreview === true ? previewLimits(limits) : limits;
  }

  private digestsOf(tenantId: string, canonical: string | null): Pick<AttemptKeys, 'digest' | 'digests'> {
    const digests = canonical === null ? [] : this.services.recognizer.digests(tenantId, canonical);
    return { digest: digests[0] ?? '', digests };
  }

  /**
   * Whether the user may redeem at all. Where the database does not say so soon, the attempt goes on: the commit
   * judges tenant and user, and a claim must not depend on a database that is slow.
   */
  private async denialOf({ tenantId, userId, sessionId }: RedeemRequest): Promise<PersonRefusal | null> {
    try {
      const judged = this.services.access.refusalOf({ tenantId, userId, sessionId });
      return await within(ACCESS_PATIENCE_MS, 'database', judged);
    } catch (error) {
      if (error instanceof StoreUnavailableError) return null;
      throw error;
    }
  }

  /** Which code it is, by what the first round trip found. */
  async findCode(attempt: Attempt, admitted: AdmitReply): Promise<LoadedCode | Refused> {
    if (!attempt.isLineActive) return new Refused('PRODUCT_UNKNOWN');
    if (admitted.status === 'FOUND') {
      const { codeId, campaignId, batchId, epoch } = admitted;
      return { codeId, campaignId, batchId, digest: attempt.digest, unstored: null, epoch };
    }
    if (attempt.canonical === null) return new Refused('CODE_MALFORMED');
    const { tenantId, digests, canonical } = attempt;
    // Codes of a new format raise the epoch, so what is remembered of the formats is never behind.
    const epoch = admitted.epoch === '' ? await this.services.copies.epoch(tenantId) : admitted.epoch;
    if (!(await this.services.recognizer.fits(tenantId, canonical, epoch)))
      return new Refused('CODE_MALFORMED');
    if (admitted.status === 'NOT_FOUND') return new Refused('CODE_NOT_FOUND');
    const loaded = await this.services.loader.load({ tenantId, digests, epoch });
    if (loaded === null) return new Refused('CODE_NOT_FOUND');
    return loaded;
  }

  /** Stores the copy of a code that was loaded and not used up. */
  async keepCopy(tenantId: string, { unstored, epoch }: LoadedCode): Promise<void> {
    if (unstored !== null) await this.services.copies.store(tenantId, [unstored], epoch);
  }

  /** Judges the campaign and the batch of a code. */
  async terms(attempt: Attempt, code: LoadedCode, admitted: Admitted): Promise<Terms | Refused> {
    const epoch = await this.epochOf(attempt.tenantId, admitted);
    const campaign = await this.services.campaigns.find(attempt.tenantId, code.campaignId, epoch);
    if (campaign === null || !isCampaignOpen(campaign, admitted.nowMs))
      return new Refused('CAMPAIGN_NOT_ACTIVE');
    const { applicableProducts } = campaign.rule;
    if (applicableProducts.length > 0 && !applicableProducts.includes(attempt.productCode)) {
      return new Refused('PRODUCT_NOT_ALLOWED');
    }
    const batch = await this.services.batchGate.terms(attempt.tenantId, code.batchId, epoch);
    if (batch.isBlocked) return new Refused('CODE_INACTIVE');
    return { campaign, extendedToMs: batch.extendedToMs };
  }

  /** Chooses what the user gets, and judges it. */
  async prepare(
    attempt: Attempt,
    code: LoadedCode,
    { campaign, extendedToMs }: Terms,
    nowMs: number,
  ): Promise<Prepared | Refused> {
    const choice = await this.services.choice.of(attempt, campaign, nowMs);
    if (choice === null) return new Refused('USER_DISABLED');
    const { rewards, isEligible } = choice;
    const userRefusal = isEligible ? null : 'USER_NOT_ELIGIBLE';
    const rewardRefusal = isEligible ? await this.rewardRefusal(attempt, campaign, rewards, nowMs) : null;
    return { code, campaign, rewards, userRefusal, rewardRefusal, extendedToMs };
  }

  /**
   * The tenant's epoch, which tells what is remembered here from what is true by now. Where Redis has none, as after
   * it was emptied, a new one is made: nothing that is remembered belongs to it.
   */
  private async epochOf(tenantId: string, { epoch }: Admitted): Promise<string> {
    return epoch === '' ? this.services.copies.epoch(tenantId) : epoch;
  }

  private async rewardRefusal(
    { tenantId, userId }: Attempt,
    { rule: { rewardRules } }: Campaign,
    rewards: readonly ChosenReward[],
    nowMs: number,
  ): Promise<Prepared['rewardRefusal']> {
    if (rewards.length === 0 && rewardRules.length > 0) return 'NO_REWARD_FOR_USER';
    const byType = Map.groupBy(rewards, ({ rule }) => rule.type);
    let idle = 0;
    for (const [type, chosen] of byType) {
      const rules = chosen.map(({ rule }) => rule);
      const refusal =
        (await this.services.handlers.get(type)?.precheck(tenantId, userId, rules, nowMs)) ?? null;
      if (refusal === 'REWARD_HAS_NO_EFFECT') idle += 1;
      else if (refusal !== null) return refusal;
    }
    // A code is not spent for nothing; one reward with an effect is enough.
    return idle === byType.size && idle > 0 ? 'REWARD_HAS_NO_EFFECT' : null;
  }
}

/** From here on the key itself is not known any more. */
function storedKey(tenantId: string, userId: Id, key: string | null): string | null {
  return key === null ? null : keyDigest(tenantId, userId, key);
}

/** Refuses headers that could not be stored as they are. */
function refusalOfRequest(request: RedeemRequest): RedeemRefusal | null {
  const { idempotencyKey, headerKey = null, deviceId } = request;
  if (headerKey !== null && headerKey !== idempotencyKey) return 'IDEMPOTENCY_KEYS_DIFFER';
  if (idempotencyKey !== null && !VISIBLE_ASCII.test(idempotencyKey)) return 'IDEMPOTENCY_KEY_MALFORMED';
  return deviceId !== null && !VISIBLE_ASCII.test(deviceId) ? 'DEVICE_ID_MALFORMED' : null;
}
