import {
  isLimited,
  type ReachedLimit,
  type UsageLedger,
  type UsageWanted,
} from '../../campaigns/campaign-usage.service.js';
import { effectiveEnd, isBatchBlocked } from '../../codes/batch-gate.service.js';
import { isSet, present } from '../../platform/assert.js';
import { Money } from '../../platform/decimal.js';
import type { Claim } from '../claim/claim.js';
import type { RedemptionRecord } from '../history/redemption-record.js';
import type { LockedCode, LockedRows } from './commit-locks.js';
import type { RedeemRefusal } from '../redemption.errors.js';

/** What a claim is judged by: rows that a commit holds locked, or that a preview has only read. */
export interface ClaimFacts {
  readonly rows: LockedRows;
  /** The redemption by which this user has redeemed this code. */
  readonly first: RedemptionRecord | null;
  readonly usage: UsageLedger;
  /** Other open claims of the code. A commit counts none: whichever of them commits first gets the use. */
  readonly openClaims: number;
  /** Why this user may not redeem codes of the campaign. A commit asks no more: conditions are evaluated before the claim. */
  readonly userRefusal: RedeemRefusal | null;
  readonly rewardRefusal: () => RedeemRefusal | null;
}

export interface ClaimRefusal {
  readonly refusal: RedeemRefusal;
  readonly first?: RedemptionRecord | null;
  readonly limit?: ReachedLimit;
}

/**
 * The order of the refusals that rows decide (`SPEC` section 4): the first that applies, or null. What Redis admitted
 * may have changed since. Time is the claim's instant, so that a slow commit does not cost a user the code.
 */
export function refusalOf(claim: Claim, facts: ClaimFacts): ClaimRefusal | null {
  const { rows, first, usage, openClaims, userRefusal, rewardRefusal } = facts;
  const early = guardByRows(claim, rows);
  if (early !== null) return { refusal: early };
  if (first !== null) return { refusal: 'ALREADY_REDEEMED', first };
  if (userRefusal !== null) return { refusal: userRefusal };
  const wanted = usageWanted(claim, rows);
  const userLimit = usage.reached(wanted, ['USER', 'USER_DAY']);
  if (userLimit !== null) return { refusal: 'USER_LIMIT_REACHED', limit: userLimit };
  const uses = guardUses(present(rows.codes.get(claim.codeId), 'The code of a claim'), openClaims);
  if (uses !== null) return { refusal: uses };
  const budget = usage.reached(wanted, ['BUDGET']);
  if (budget !== null) return { refusal: 'BUDGET_EXHAUSTED', limit: budget };
  const reward = rewardRefusal();
  return reward === null ? null : { refusal: reward };
}

/** What a claim counts for in its campaign's limits. */
export function usageWanted(claim: Claim, { campaigns }: Pick<LockedRows, 'campaigns'>): UsageWanted {
  const campaign = present(campaigns.get(claim.campaignId), 'The campaign of a claim');
  const value = claim.rewards.reduce((sum, { rule }) => sum.add(rule.value), new Money(0));
  return { campaign, userId: claim.userId, atMs: claim.claimedAtMs, value };
}

/** Of these claims, what counts in limits at all. */
export function limitedUses(claims: readonly Claim[], rows: LockedRows): UsageWanted[] {
  return claims.flatMap((claim) => {
    const campaign = rows.campaigns.get(claim.campaignId);
    return campaign !== undefined && isLimited(campaign) ? [usageWanted(claim, rows)] : [];
  });
}

function guardByRows(claim: Claim, rows: LockedRows): RedeemRefusal | null {
  if (rows.tenantStatus !== 'ACTIVE') return 'TENANT_NOT_ACTIVE';
  if (rows.users.get(claim.userId)?.status !== 'ACTIVE') return 'USER_DISABLED';
  const code = rows.codes.get(claim.codeId);
  if (code === undefined || isSet(code.deletedAt)) return 'CODE_NOT_FOUND';
  return guardCampaign(claim, rows) ?? guardCode(claim, code, rows);
}

/** Whether a use is left, with what this batch has already given. */
function guardUses({ useLimit, used }: LockedCode, openClaims: number): RedeemRefusal | null {
  if (useLimit === 0 || used + openClaims < useLimit) return null;
  return used >= useLimit ? 'CODE_EXHAUSTED' : 'CODE_HELD';
}

function guardCampaign(claim: Claim, rows: LockedRows): RedeemRefusal | null {
  const campaign = rows.campaigns.get(claim.campaignId);
  if (campaign === undefined) return 'CAMPAIGN_NOT_ACTIVE';
  return isCampaignOpen(campaign, claim.claimedAtMs) ? null : 'CAMPAIGN_NOT_ACTIVE';
}

function guardCode(claim: Claim, code: LockedCode, rows: LockedRows): RedeemRefusal | null {
  const batch = rows.batches.get(claim.batchId);
  if (code.status !== 'ACTIVE' || batch === undefined || isBatchBlocked(batch)) return 'CODE_INACTIVE';
  if (isSet(code.startsAt) && claim.claimedAtMs < code.startsAt.getTime()) return 'CODE_NOT_STARTED';
  const end = effectiveEnd(code, batch);
  if (end !== null && claim.claimedAtMs >= end.getTime()) return 'CODE_EXPIRED';
  if (isSet(code.assignedUserId) && code.assignedUserId !== claim.userId) return 'CODE_NOT_YOURS';
  return null;
}

/** Active, and inside its half-open window. */
export function isCampaignOpen(
  campaign: {
    readonly status: string;
    readonly startsAt?: Date | null | undefined;
    readonly endsAt?: Date | null | undefined;
  },
  nowMs: number,
): boolean {
  if (campaign.status !== 'ACTIVE') return false;
  if (isSet(campaign.startsAt) && nowMs < campaign.startsAt.getTime()) return false;
  return !(isSet(campaign.endsAt) && nowMs >= campaign.endsAt.getTime());
}
