import { DEFERRED_DEADLINE_MS } from '../../config.js';
import { digestOfStoredKey } from '../../platform/key-digest.js';
import type { Id } from '../../platform/ids.js';
import type { RewardRule } from '../../rewards/reward-rule.js';

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
  /** The caller was told PROCESSING and the order number, so that an order has to come of it, even a failed one. */
  readonly isDeferred: boolean;
}

/**
 * Whether a request may be answered by an open claim of the same user and code: when both carry the same idempotency
 * key, or neither has one. Else a key would be answered by a redemption that does not bear it, and later by another.
 */
export function mayJoin(claim: ClaimSnapshot, idempotencyKey: string | null): boolean {
  return claim.idempotencyKey === idempotencyKey;
}

/** Reads a claim as `claim-code.lua` stores it. */
export function parseClaim(tenantId: string, redemptionId: Id, digest: string, stored: string): Claim {
  const parts = /^(\d+)\|(\d+)\|([^|]+)\|(.*)$/s.exec(stored);
  if (parts === null) throw new Error(`The claim of redemption ${redemptionId} cannot be read.`);
  const [, claimedMs, deadlineMs, token = '', json = ''] = parts;
  const snapshot = JSON.parse(json) as ClaimSnapshot;
  const { userId, idempotencyKey } = snapshot;
  return {
    ...snapshot,
    idempotencyKey: digestOfStoredKey(tenantId, userId, idempotencyKey),
    tenantId,
    redemptionId,
    digest,
    token,
    claimedAtMs: Number(claimedMs),
    // No other claim has so late a deadline; the hand-over may come some time after the claim.
    isDeferred: Number(deadlineMs) - Number(claimedMs) >= DEFERRED_DEADLINE_MS / 2,
  };
}

/** Until when a stored claim may stay open, by Redis' clock. */
export function deadlineOf(stored: string): number {
  return Number(/^\d+\|(\d+)\|/.exec(stored)?.[1] ?? Number.NaN);
}

/** What `claim-code.lua` would have stored of a claim that was handed over; all that is needed to settle it. */
export function promisedClaimText(claim: Claim): string {
  const { tenantId: _tenant, redemptionId: _id, digest: _digest, isDeferred: _promised, ...rest } = claim;
  const { token, claimedAtMs, ...snapshot } = rest;
  return `${claimedAtMs}|${claimedAtMs + DEFERRED_DEADLINE_MS}|${token}|${JSON.stringify(snapshot)}`;
}

const DAY_MS = 86_400_000;

/** Days since 1970, UTC; what "on one day" means for limits. */
export function dayOf(instantMs: number): number {
  return Math.floor(instantMs / DAY_MS);
}
