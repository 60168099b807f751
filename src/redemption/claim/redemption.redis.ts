import { VERSION_FLOOR_MS, codeKeys, stateOf, type CodeCopy } from '../../codes/code-copy.service.js';
import {
  admissionArguments,
  limitsKey,
  NO_LIMITS,
  type AttemptLimits,
  type RateWindow,
} from '../../limits/rate-limit.service.js';
import { StoreUnavailableError } from '../../platform/errors.js';
import type { Id } from '../../platform/ids.js';
import { asRedisFailure, type Redis } from '../../platform/redis/redis.js';
import { RedisScript } from '../../platform/redis/script.js';
import { newClaimText, readStoredClaim, type Claim, type ClaimSnapshot, type SpentLimit } from './claim.js';

/** How long "this user has redeemed this code" is answered from Redis; after that from the database. */
const DONE_MS = 600_000;
/** How long a limit that the database found reached is believed. Changes of limits use another key at once. */
const SPENT_MS = 5_000;
/** A user's double click joins the first click's answer for this long. */
const LOCK_MS = 10_000;

export interface RedemptionRedisSettings {
  readonly claimDeadlineMs: number;
  readonly markerMs: number;
}

/** The keys of one tenant's redemptions share its hash tag. */
export const keys = {
  claims: (tenantId: string, digest: string) => `{${tenantId}}:claims:${digest}`,
  open: (tenantId: string) => `{${tenantId}}:open`,
  lock: (tenantId: string, userId: Id, digest: string) => `{${tenantId}}:redemption_lock:${userId}:${digest}`,
  done: (tenantId: string, userId: Id, digest: string) => `{${tenantId}}:done:${userId}:${digest}`,
  marker: (tenantId: string, userId: Id, key: string | null) => `{${tenantId}}:key:${userId}:${key ?? ''}`,
  spent: (tenantId: string, campaign: string, of: string) => `{${tenantId}}:spent:${campaign}:${of}`,
} as const;

export interface AttemptKeys {
  readonly tenantId: string;
  readonly userId: Id;
  /** The one that the code is stored under, as far as that is known; "" when what was typed cannot be a code. */
  readonly digest: string;
  /** All that it may be stored under: one a pepper. */
  readonly digests: readonly string[];
  readonly idempotencyKey: string | null;
}

/** A redemption that an idempotency key or a lock leads to. `claim` is empty once it is closed. */
export interface KnownRedemption {
  readonly redemptionId: Id;
  readonly digest: string;
  readonly claim: string;
}

export type AdmitReply = { readonly nowMs: number; readonly epoch: string } & (
  | ({ readonly status: 'KNOWN' } & KnownRedemption)
  /** The limits are others by now than those that the attempt was sent with; it was not judged. */
  | { readonly status: 'LIMITS_CHANGED'; readonly version: string }
  | { readonly status: 'RATE_LIMITED'; readonly retryAfterMs: number; readonly heldBackBy: string }
  | { readonly status: 'NOT_FOUND' | 'LOAD' }
  | ({ readonly status: 'FOUND' } & FoundCode)
);

interface FoundCode {
  readonly codeId: Id;
  readonly campaignId: Id;
  readonly batchId: Id;
  /** By the copy alone, or null: the batch may be extended, and limits of the user come before a used-up code. */
  readonly refusal: string | null;
}

export type ClaimReply =
  | { readonly status: 'CLAIMED'; readonly nowMs: number; readonly token: string }
  | ({ readonly status: 'KNOWN' | 'JOIN'; readonly nowMs: number } & KnownRedemption)
  | { readonly status: 'LOAD'; readonly nowMs: number }
  | { readonly status: 'ALREADY_REDEEMED'; readonly nowMs: number; readonly redemptionId: Id | null }
  | {
      readonly status: 'REFUSED';
      readonly nowMs: number;
      readonly refusal: string;
      readonly unsure: boolean;
    };

export interface ClaimRequest extends AttemptKeys {
  readonly redemptionId: Id;
  readonly token: string;
  readonly snapshot: ClaimSnapshot;
  /** The code as just read, where Redis holds no copy of it. */
  readonly unstored: CodeCopy | null;
  readonly campaignVersion: number;
  /** Why this user may not redeem codes of the campaign. */
  readonly userRefusal: string | null;
  readonly rewardRefusal: string | null;
  /** To which the code's batch was extended. */
  readonly extendedToMs: number | null;
  /** Whether the campaign has limits per user or a budget. */
  readonly hasLimits: boolean;
  /** The day that it would count for, by the tenant's clock. */
  readonly usageDay: number;
}

/** A committed redemption, as its transaction left the code. */
export interface Confirmation {
  readonly claim: Claim;
  readonly used: number;
  /** As the transaction found it. */
  readonly versionBefore: number;
  readonly version: number;
  readonly soleUserId: Id | null;
}

/** A claim whose tombstone is committed. */
export interface Release {
  readonly claim: Claim;
  /** Of the code, as the transaction saw it; 0 when it did not. */
  readonly version: number;
  readonly spent: SpentLimit | null;
  /** The redemption by which this user has redeemed the code; Redis had forgotten it. */
  readonly doneId: Id | null;
  /** The redemption that has this idempotency key and this code; Redis had forgotten it. */
  readonly winnerId: Id | null;
}

/** An open claim, as `claim-code.lua` stores it. */
export interface OpenClaim {
  readonly redemptionId: Id;
  readonly digest: string;
  readonly claim: string;
}

/** Redis' side of a redemption: builds keys, calls scripts, decodes replies. */
export class RedemptionRedis {
  private readonly admitScript: RedisScript;
  private readonly claimScript: RedisScript;
  private readonly confirmScript: RedisScript;
  private readonly releaseScript: RedisScript;
  private readonly forgetScript: RedisScript;
  private readonly heldScript: RedisScript;

  constructor(
    private readonly redis: Redis,
    private readonly settings: RedemptionRedisSettings,
  ) {
    this.admitScript = new RedisScript(redis, 'admit-attempt');
    this.claimScript = new RedisScript(redis, 'claim-code');
    this.confirmScript = new RedisScript(redis, 'confirm-claims', 'at once');
    this.releaseScript = new RedisScript(redis, 'release-claims', 'at once');
    this.forgetScript = new RedisScript(redis, 'forget-marker');
    this.heldScript = new RedisScript(redis, 'uses-held');
  }

  async admit(attemptId: Id, attempt: AttemptKeys, limits: AttemptLimits = NO_LIMITS): Promise<AdmitReply> {
    const { tenantId, userId, digest, idempotencyKey } = attempt;
    const fixed = [
      keys.marker(tenantId, userId, idempotencyKey),
      codeKeys.copy(tenantId, digest),
      keys.claims(tenantId, digest),
      codeKeys.unknown(tenantId),
      codeKeys.epoch(tenantId),
      limitsKey(tenantId),
      keys.done(tenantId, userId, digest),
      keys.lock(tenantId, userId, digest),
    ];
    const { keys: limited, frees, triples } = admissionArguments(limits, fixed.length + 1);
    const hasKey = idempotencyKey === null ? '' : '1';
    const reply = (await this.admitScript.run(
      [...fixed, ...limited],
      [attemptId, digest, userId, hasKey, limits.version ?? '-', frees, ...triples],
    )) as [string, number, string, ...string[]];
    return decodeAdmit(reply);
  }

  async claim(request: ClaimRequest): Promise<ClaimReply> {
    const { tenantId, userId, digest, idempotencyKey, snapshot, unstored } = request;
    const campaign = campaignKey(snapshot.campaignId, request.campaignVersion);
    const reply = (await this.claimScript.run(
      [
        codeKeys.copy(tenantId, digest),
        keys.claims(tenantId, digest),
        keys.marker(tenantId, userId, idempotencyKey),
        keys.lock(tenantId, userId, digest),
        keys.done(tenantId, userId, digest),
        keys.open(tenantId),
        keys.spent(tenantId, campaign, userId),
        keys.spent(tenantId, campaign, `${userId}:${request.usageDay}`),
        keys.spent(tenantId, campaign, 'budget'),
      ],
      [
        request.redemptionId,
        userId,
        digest,
        request.token,
        newClaimText(request.token, snapshot),
        idempotencyKey === null ? '' : '1',
        request.rewardRefusal ?? '',
        this.settings.claimDeadlineMs,
        LOCK_MS,
        this.settings.markerMs,
        request.hasLimits ? '1' : '',
        request.extendedToMs ?? '',
        request.userRefusal ?? '',
        ...(unstored === null ? [''] : [unstored.version, unstored.id, ...stateOf(unstored)]),
      ],
    )) as [string, number, ...string[]];
    return decodeClaim(reply, digest);
  }

  /** Closes claims whose redemptions are committed; one tenant's. */
  async confirm(tenantId: string, confirmations: readonly Confirmation[]): Promise<void> {
    if (confirmations.length === 0) return;
    const scriptKeys = [keys.open(tenantId)];
    const args: (string | number)[] = [DONE_MS, VERSION_FLOOR_MS, this.settings.markerMs];
    for (const { claim, used, versionBefore, version, soleUserId } of confirmations) {
      scriptKeys.push(
        codeKeys.copy(tenantId, claim.digest),
        keys.claims(tenantId, claim.digest),
        keys.lock(tenantId, claim.userId, claim.digest),
        keys.done(tenantId, claim.userId, claim.digest),
        keys.marker(tenantId, claim.userId, claim.idempotencyKey),
      );
      const hasKey = claim.idempotencyKey === null ? '' : '1';
      args.push(
        claim.redemptionId,
        claim.digest,
        claim.token,
        used,
        versionBefore,
        version,
        soleUserId ?? '',
        hasKey,
      );
    }
    await this.confirmScript.run(scriptKeys, args);
  }

  /** Gives uses back whose tombstones are committed; one tenant's. */
  async release(tenantId: string, releases: readonly Release[]): Promise<void> {
    if (releases.length === 0) return;
    const scriptKeys = [keys.open(tenantId)];
    const { markerMs } = this.settings;
    const args: (string | number)[] = [VERSION_FLOOR_MS, SPENT_MS, DONE_MS, markerMs];
    for (const { claim, version, spent, doneId, winnerId } of releases) {
      scriptKeys.push(
        codeKeys.copy(tenantId, claim.digest),
        keys.claims(tenantId, claim.digest),
        keys.lock(tenantId, claim.userId, claim.digest),
        keys.marker(tenantId, claim.userId, claim.idempotencyKey),
        keys.done(tenantId, claim.userId, claim.digest),
        spentKey(claim, spent),
      );
      const isSpent = spent === null ? '' : '1';
      args.push(
        claim.redemptionId,
        claim.digest,
        claim.token,
        version,
        isSpent,
        doneId ?? '',
        winnerId ?? '',
      );
    }
    await this.releaseScript.run(scriptKeys, args);
  }

  /**
   * Which of these claims are deferred by now, perhaps by another process. Where Redis does not answer, those that this
   * process has deferred; the others have their jobs.
   */
  async deferredAmong(tenantId: string, claims: readonly Claim[]): Promise<ReadonlySet<Id>> {
    const known = claims.filter(({ isDeferred }) => isDeferred).map(({ redemptionId }) => redemptionId);
    if (claims.length === known.length) return new Set(known);
    const open = await this.openAmong(tenantId, claims).catch((error: unknown) => {
      if (error instanceof StoreUnavailableError) return [];
      throw error;
    });
    const stored = open.filter(({ redemptionId, claim }) => readStoredClaim(redemptionId, claim).deferred);
    return new Set([...known, ...stored.map(({ redemptionId }) => redemptionId)]);
  }

  /** Which of these redemptions are in the list of open claims; one command, whatever their number. */
  async listedAmong<Named extends { readonly redemptionId: Id; readonly digest: string }>(
    tenantId: string,
    redemptions: readonly Named[],
  ): Promise<Named[]> {
    if (redemptions.length === 0) return [];
    const members = redemptions.map(({ redemptionId, digest }) => `${redemptionId}|${digest}`);
    const scores = await this.redis.zmscore(keys.open(tenantId), members).catch((error: unknown) => {
      throw asRedisFailure(error);
    });
    return redemptions.filter((_redemption, at) => scores[at] !== null);
  }

  /** Those of these redemptions whose claims are open; in one round trip. */
  async openAmong(
    tenantId: string,
    redemptions: readonly { readonly redemptionId: Id; readonly digest: string }[],
  ): Promise<OpenClaim[]> {
    const pipeline = this.redis.pipeline();
    for (const { redemptionId, digest } of redemptions)
      pipeline.hget(keys.claims(tenantId, digest), redemptionId);
    const replies = await pipeline.exec().catch((error: unknown) => {
      throw asRedisFailure(error);
    });
    return redemptions.flatMap(({ redemptionId, digest }, at) => {
      const [error, claim] = replies?.[at] ?? [];
      if (error !== null && error !== undefined) throw asRedisFailure(error);
      return typeof claim === 'string' ? [{ redemptionId, digest, claim }] : [];
    });
  }

  /** Whether a code has no free use, but only because of open claims. */
  async areUsesHeld(tenantId: string, digest: string): Promise<boolean> {
    const held = await this.heldScript.run(
      [codeKeys.copy(tenantId, digest), keys.claims(tenantId, digest)],
      [],
    );
    return held === 1;
  }

  /** How many uses of a code are reserved at this moment. */
  async openClaims(tenantId: string, digest: string): Promise<number> {
    try {
      return await this.redis.hlen(keys.claims(tenantId, digest));
    } catch (error) {
      throw asRedisFailure(error);
    }
  }

  /** Takes an attempt out of its windows again: a replay of a known key does not count. */
  async forgetAttempt(attemptId: Id, windows: readonly RateWindow[]): Promise<void> {
    const keysOfWindows = new Set(windows.map((window) => window.key));
    try {
      await Promise.all([...keysOfWindows].map(async (key) => this.redis.zrem(key, attemptId)));
    } catch (error) {
      throw asRedisFailure(error);
    }
  }

  /** Drops an idempotency key's marker that leads to a redemption which is neither open nor committed. */
  async forgetMarker(attempt: AttemptKeys, { redemptionId, digest }: KnownRedemption): Promise<void> {
    const key = keys.marker(attempt.tenantId, attempt.userId, attempt.idempotencyKey);
    await this.forgetScript.run([key], [`${redemptionId}|${digest}`]);
  }
}

/** The version is part of the key, so that raised limits count at once. */
export function campaignKey(campaignId: Id, version: number): string {
  return `${campaignId}:${version}`;
}

function spentKey(claim: Claim, spent: Release['spent']): string {
  const campaign = campaignKey(claim.campaignId, spent?.campaignVersion ?? 0);
  const of =
    spent?.limit === 'BUDGET'
      ? 'budget'
      : spent?.limit === 'USER_DAY'
        ? `${claim.userId}:${spent.day}`
        : claim.userId;
  return keys.spent(claim.tenantId, campaign, of);
}

function decodeAdmit(reply: [string, number, string, ...string[]]): AdmitReply {
  const [status, nowMs, epoch, a = '', b = '', c = '', d = ''] = reply;
  switch (status) {
    case 'KNOWN':
      return { status, nowMs, epoch, redemptionId: a, digest: b, claim: c };
    case 'LIMITS_CHANGED':
      return { status, nowMs, epoch, version: a };
    case 'RATE_LIMITED':
      return { status, nowMs, epoch, retryAfterMs: Number(a), heldBackBy: b };
    case 'FOUND':
      return { status, nowMs, epoch, codeId: a, campaignId: b, batchId: c, refusal: d === '' ? null : d };
    case 'NOT_FOUND':
    case 'LOAD':
      return { status, nowMs, epoch };
    default:
      throw new Error(`admit-attempt answered ${status}.`);
  }
}

function decodeClaim(reply: [string, number, ...string[]], digest: string): ClaimReply {
  const [status, nowMs, a = '', b = '', c = ''] = reply;
  switch (status) {
    case 'CLAIMED':
      return { status, nowMs, token: a };
    case 'KNOWN':
      return { status, nowMs, redemptionId: a, digest: b, claim: c };
    case 'JOIN':
      return { status, nowMs, redemptionId: a, digest, claim: b };
    case 'LOAD':
      return { status, nowMs };
    case 'ALREADY_REDEEMED':
      return { status, nowMs, redemptionId: a === '' ? null : a };
    default:
      return { status: 'REFUSED', nowMs, refusal: status, unsure: a === '1' };
  }
}
