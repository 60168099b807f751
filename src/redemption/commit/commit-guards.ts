import { isSet } from '../../platform/assert.js';
import type { Claim } from '../claim/claim.js';
import type { LockedCode, LockedRows } from './commit-locks.js';
import type { RedeemRefusal } from '../redemption.errors.js';

/**
 * Judges a claim by the locked rows, in the order of precedence of the refusals. What Redis admitted may have
 * changed since; time is the claim's instant, so that a slow commit does not cost a user the code.
 */
export function guardByRows(claim: Claim, rows: LockedRows): RedeemRefusal | null {
  if (rows.tenantStatus !== 'ACTIVE') return 'TENANT_NOT_ACTIVE';
  if (rows.users.get(claim.userId)?.status !== 'ACTIVE') return 'USER_DISABLED';
  const code = rows.codes.get(claim.codeId);
  if (code === undefined || isSet(code.deletedAt)) return 'CODE_NOT_FOUND';
  return guardCampaign(claim, rows) ?? guardCode(claim, code, rows);
}

/** Whether a use is left, with what this batch has already given. */
export function guardUses(code: LockedCode): RedeemRefusal | null {
  return code.useLimit > 0 && code.used >= code.useLimit ? 'CODE_EXHAUSTED' : null;
}

function guardCampaign(claim: Claim, rows: LockedRows): RedeemRefusal | null {
  const campaign = rows.campaigns.get(claim.campaignId);
  if (campaign === undefined) return 'CAMPAIGN_NOT_ACTIVE';
  return isCampaignOpen(campaign, claim.claimedAtMs) ? null : 'CAMPAIGN_NOT_ACTIVE';
}

function guardCode(claim: Claim, code: LockedCode, rows: LockedRows): RedeemRefusal | null {
  const batch = rows.batches.get(claim.batchId);
  const isBlocked = batch === undefined || isSet(batch.frozenAt) || isSet(batch.voidedAt);
  if (code.status !== 'ACTIVE' || isBlocked) return 'CODE_INACTIVE';
  if (isSet(code.startsAt) && claim.claimedAtMs < code.startsAt.getTime()) return 'CODE_NOT_STARTED';
  if (isSet(code.expiresAt) && claim.claimedAtMs >= code.expiresAt.getTime()) return 'CODE_EXPIRED';
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
