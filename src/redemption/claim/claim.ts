import type { ReachedLimit } from '../../campaigns/campaign-usage.service.js';
import { digestOfStoredKey } from '../../platform/key-digest.js';
import type { Id } from '../../platform/ids.js';
import { readRewardRule, type RewardRule } from '../../rewards/reward-rule.js';

/** A reward that this user gets: chosen before the claim, so that every later step gives the same. */
export interface ChosenReward {
  /** Position of the rule in the campaign. */
  readonly rewardNo: number;
  readonly rule: RewardRule;
}

/** What a commit needs to know of a claim; kept in Redis with it, so that any process can commit it. */
export interface ClaimSnapshot {
  readonly userId: Id;
  readonly codeId: Id;
  readonly campaignId: Id;
  readonly batchId: Id;
  readonly productCode: string;
  readonly deviceId: string | null;
  /** As {@link keyDigest} makes it; the caller's text is stored nowhere. */
  readonly idempotencyKey: string | null;
  readonly rewards: readonly ChosenReward[];
}

/** A reservation of one use of a code. */
export interface Claim extends ClaimSnapshot {
  readonly tenantId: string;
  readonly redemptionId: Id;
  readonly digest: string;
  /** Only its holder may close the claim. */
  readonly token: string;
  /** By Redis' clock; windows, expiry and day limits are judged by it. */
  readonly claimedAtMs: number;
  /**
   * The claim was answered PROCESSING with the order number, so it must become an order, even a failed one. It may be
   * set while a commit is under way.
   */
  isDeferred: boolean;
}

/**
 * Whether a request may be answered by an open claim of the same user and code: when both carry the same idempotency
 * key, or neither has one. Else a key would be answered by a redemption that does not bear it, and later by another.
 */
export function mayJoin(claim: ClaimSnapshot, idempotencyKey: string | null): boolean {
  return claim.idempotencyKey === idempotencyKey;
}

/** A limit that every further redemption of the same kind would break, too. */
export interface SpentLimit {
  readonly campaignVersion: number;
  readonly limit: ReachedLimit;
  /** The day that was counted, by the tenant's clock. */
  readonly day: number;
}

/** A claim as Redis and the jobs hold it, in JSON. The scripts write the first three: Redis' clock tells the times. */
interface StoredClaim extends ClaimSnapshot {
  readonly claimedAtMs: number;
  /** Until when the claim may stay open, by Redis' clock. */
  readonly deadlineMs: number;
  readonly deferred: boolean;
  readonly token: string;
}

/** What `claim-code.lua` gets; it adds the times. */
export function newClaimText(token: string, snapshot: ClaimSnapshot): string {
  return JSON.stringify({ token, ...snapshot });
}

/** What `claim-code.lua` would have stored; all that is needed to settle the claim. */
export function claimText(claim: Claim, deadlineMs: number): string {
  const { tenantId: _tenant, redemptionId: _id, digest: _digest, isDeferred, claimedAtMs, ...rest } = claim;
  return JSON.stringify({ claimedAtMs, deadlineMs, deferred: isDeferred, ...rest });
}

/** @throws Error when it cannot be read */
export function readStoredClaim(redemptionId: Id, text: string): StoredClaim {
  const stored = parsed(text);
  if (typeof stored?.token === 'string' && Number.isInteger(stored.deadlineMs)) return stored as StoredClaim;
  throw new Error(`The claim of redemption ${redemptionId} cannot be read.`);
}

function parsed(text: string): Partial<StoredClaim> | null {
  try {
    return JSON.parse(text) as Partial<StoredClaim> | null;
  } catch {
    return null;
  }
}

export function parseClaim(tenantId: string, redemptionId: Id, digest: string, text: string): Claim {
  const { deadlineMs: _deadline, deferred, ...stored } = readStoredClaim(redemptionId, text);
  const { userId } = stored;
  const idempotencyKey = digestOfStoredKey(tenantId, userId, stored.idempotencyKey);
  const rewards = stored.rewards.map(({ rewardNo, rule }) => ({ rewardNo, rule: readRewardRule(rule) }));
  return { ...stored, rewards, idempotencyKey, tenantId, redemptionId, digest, isDeferred: deferred };
}
