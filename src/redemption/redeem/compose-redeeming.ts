import type { MikroORM } from '@mikro-orm/core';
import type { CampaignConditions } from '../../campaigns/campaign-conditions.service.js';
import type { Config } from '../../config.js';
import type { FailedAttemptService } from '../../limits/failed-attempts.service.js';
import type { IdGenerator } from '../../platform/ids.js';
import type { Logger } from '../../platform/observability/log.js';
import { CodeLoader } from '../claim/code-loader.js';
import type { HeldUses } from '../claim/held-uses.js';
import type { RedemptionRedis } from '../claim/redemption.redis.js';
import type { ReturnedUsesRedis } from '../claim/returned-uses.redis.js';
import type { AbortService } from '../commit/abort.service.js';
import type { GroupCommit } from '../commit/group-commit.js';
import type { PendingRedemptions } from '../deferred/pending-redemptions.js';
import type { AttemptLog } from '../history/attempt-log.js';
import type { RedemptionReader } from '../history/redemption-reader.js';
import type { RefusalCounter } from '../reports/refusal-counter.js';
import type { RedemptionMetrics } from '../redemption.metrics.js';
import { ClaimSettlement } from './claim-settlement.js';
import { CodeClaimer } from './code-claimer.js';
import type { ConditionFactsReader } from './condition-facts.reader.js';
import { ConditionFaults } from './condition-faults.js';
import { EligibilityService, type EligibilityParts } from './eligibility.service.js';
import { KnownRedemptions } from './known-redemptions.js';
import { RefusalNotes } from './refusal-notes.js';
import { RedemptionPreviewService } from './redemption-preview.service.js';
import { RewardChoice } from './reward-choice.js';
import { RedemptionService } from './redemption.service.js';

interface Needs extends Omit<EligibilityParts, 'loader' | 'campaigns' | 'choice'> {
  readonly config: Config;
  readonly orm: MikroORM;
  readonly ids: IdGenerator;
  readonly log: Logger;
  readonly metrics: RedemptionMetrics;
  readonly campaignConditions: CampaignConditions;
  readonly conditionFacts: ConditionFactsReader;
  readonly campaignReader: EligibilityParts['campaigns'];
  readonly redemptionRedis: RedemptionRedis;
  readonly groupCommit: GroupCommit;
  readonly aborts: AbortService;
  readonly heldUses: HeldUses;
  readonly pendingRedemptions: PendingRedemptions;
  readonly redemptionReader: RedemptionReader;
  readonly returnedUses: ReturnedUsesRedis;
  readonly failedAttempts: FailedAttemptService;
  readonly attemptLog: AttemptLog;
  readonly refusalCounter: RefusalCounter;
}

/** The services behind `redeemCode` and `previewRedemption`. */
export function composeRedeeming(its: Needs) {
  const { orm, redemptionRedis: redis, redemptionReader: reader, pendingRedemptions, groupCommit } = its;
  const { STORE_TIMEOUT_MS: timeoutMs, UNIFORM_REFUSALS: uniformRefusals, REPLY_WITHIN_MS } = its.config;
  const loader = new CodeLoader(orm, its.copies, timeoutMs);
  const faults = new ConditionFaults(its.log, its.refusalCounter, its.metrics);
  const choice = new RewardChoice(its.campaignConditions, its.conditionFacts, faults);
  const eligibility = new EligibilityService({ ...its, loader, choice, campaigns: its.campaignReader });
  const refusals = new RefusalNotes(its, eligibility, uniformRefusals);
  const settlement = new ClaimSettlement(
    groupCommit,
    pendingRedemptions,
    its.aborts,
    reader,
    REPLY_WITHIN_MS,
  );
  const redemptions = new RedemptionService({
    ...its,
    redis,
    reader,
    eligibility,
    settlement,
    refusals,
    claimer: new CodeClaimer(redis, eligibility, groupCommit, its.heldUses, timeoutMs),
    known: new KnownRedemptions(redis, its.returnedUses, reader, pendingRedemptions, settlement),
    storeTimeoutMs: timeoutMs,
  });
  const previews = new RedemptionPreviewService(
    orm,
    its.ids,
    redis,
    eligibility,
    reader,
    its.handlers,
    its.heldUses,
    refusals,
    timeoutMs,
  );
  return { redemptions, previews };
}
