import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { isLimited, usageDay } from '../../campaigns/campaign-usage.service.js';
import { StoreUnavailableError } from '../../platform/errors.js';
import type { Id } from '../../platform/ids.js';
import { resultWithin, within } from '../../platform/scheduling/timeout.js';
import { outcomeOf, Refused } from './attempt-outcome.js';
import type { Attempt, EligibilityService, Prepared } from './eligibility.service.js';
import { mayJoin, parseClaim, type Claim, type ClaimSnapshot } from '../claim/claim.js';
import type { CommitOutcome } from '../commit/commit-outcome.js';
import type { HeldUses } from '../claim/held-uses.js';
import type { LoadedCode } from '../claim/code-loader.js';
import type {
  AdmitReply,
  ClaimReply,
  ClaimRequest,
  KnownRedemption,
  RedemptionRedis,
} from '../claim/redemption.redis.js';
import type { GroupCommit } from '../commit/group-commit.js';

/** A copy may be evicted between its load and the claim; more often than this it is a fault. */
const LOADS_MAX = 10;
const LOAD_PAUSE_MS = 5;
/** Aborted claims of the same user whose uses are not given back yet; more of them mean a fault. */
const OTHERS_MAX = 10;
const OTHER_PAUSE_MS = 5;

/** What the claim script answered in the end, and what the claim holds if it was made. */
export interface ClaimResult {
  readonly snapshot: ClaimSnapshot;
  /** Under which the code was claimed: the one of its row. */
  readonly digest: string;
  readonly reply: Exclude<ClaimReply, { status: 'LOAD' }>;
}

/** How long an attempt waits for open claims, counted from the first that it met, and how many it met of its user. */
interface Waits {
  untilMs: number | null;
  others: number;
}

/** Claims a use of a code: loads what Redis does not hold, and waits for open claims that stand in the way. */
export class CodeClaimer {
  constructor(
    private readonly redis: RedemptionRedis,
    private readonly eligibility: EligibilityService,
    private readonly groupCommit: Pick<GroupCommit, 'settle' | 'aside'>,
    private readonly heldUses: HeldUses,
    /** How long a read before the claim may take. */
    private readonly storeTimeoutMs: number,
  ) {}

  async claim(
    attempt: Attempt,
    prepared: Prepared,
    redemptionId: Id,
    admitted: AdmitReply,
  ): Promise<ClaimResult | Refused> {
    const snapshot = snapshotOf(attempt, prepared);
    const waits: Waits = { untilMs: null, others: 0 };
    let { code } = prepared;
    for (let loads = 0; loads < LOADS_MAX;) {
      const request = requestOf(attempt, { ...prepared, code }, redemptionId, snapshot, admitted.nowMs);
      const reply = await this.redis.claim(request);
      if (reply.status !== 'LOAD') {
        if (reply.status === 'REFUSED') await this.eligibility.keepCopy(attempt.tenantId, code);
        const { digest } = code;
        const settled = await this.settledReply({ ...attempt, digest }, reply, waits);
        if (settled !== null) return { snapshot, digest, reply: settled };
        continue;
      }
      // Longer each time: a code that is just getting a new digest cannot be claimed for a moment.
      if (loads > 0) await pause(loads * LOAD_PAUSE_MS);
      loads += 1;
      // The epoch of the admission may be over, and nothing that is read under it is stored.
      const loaded = await this.load(attempt, { status: 'LOAD', nowMs: reply.nowMs, epoch: '' });
      if (loaded instanceof Refused) return loaded;
      code = loaded;
    }
    throw new StoreUnavailableError('redis', { cause: 'The copy of the code did not stay.' });
  }

  private async load(attempt: Attempt, missing: AdmitReply): Promise<LoadedCode | Refused> {
    return within(this.storeTimeoutMs, 'database', this.eligibility.findCode(attempt, missing));
  }

  /** What the script answered, once nothing is open that stands in the way; null when it is to be asked again. */
  private async settledReply(
    attempt: Attempt,
    reply: ClaimResult['reply'],
    waits: Waits,
  ): Promise<ClaimResult['reply'] | null> {
    waits.untilMs ??= performance.now() + this.heldUses.waitMs;
    const other = reply.status === 'JOIN' ? otherClaim(attempt, reply) : null;
    if (other !== null) return this.afterOther(other, reply.nowMs, waits.untilMs, (waits.others += 1));
    if (!isHeld(reply)) return reply;
    const { tenantId, digest } = attempt;
    const waiting = this.heldUses.settled(tenantId, digest, waits.untilMs);
    return (await this.groupCommit.aside(tenantId, waiting)) ? null : reply;
  }

  /**
   * The same user's claim under another key is settled first, whichever process made it.
   * @param others how many of them this attempt has met
   * @returns what it means for this attempt, or null when the claim was aborted and this attempt may claim
   */
  private async afterOther(
    other: Claim,
    nowMs: number,
    waitUntilMs: number,
    others: number,
  ): Promise<ClaimResult['reply'] | null> {
    const settling = this.groupCommit.settle(other).catch(cameToNothing);
    const outcome = await resultWithin(Math.max(0, waitUntilMs - performance.now()), settling);
    if (outcome === null) return heldAt(nowMs);
    const settled = outcomeOf(outcome);
    if (settled.kind === 'COMMITTED')
      return { status: 'ALREADY_REDEEMED', nowMs, redemptionId: settled.record.id };
    if (others === OTHERS_MAX) return heldAt(nowMs);
    // Longer each time: it may stand in the way again, while it can be neither committed nor aborted.
    if (others > 1) await pause(others * OTHER_PAUSE_MS);
    return null;
  }
}

/** The open claim that stands in an attempt's way, unless the attempt may be answered by it. */
function otherClaim(attempt: Attempt, { redemptionId, claim }: KnownRedemption): Claim | null {
  const other = parseClaim(attempt.tenantId, redemptionId, attempt.digest, claim);
  return mayJoin(other, attempt.idempotencyKey) ? null : other;
}

/** A commit that fails is the other request's own affair; the next look at the claim says what is left of it. */
function cameToNothing(error: unknown): CommitOutcome {
  if (error instanceof StoreUnavailableError) throw error;
  return { kind: 'ABORTED' };
}

function heldAt(nowMs: number): ClaimResult['reply'] {
  return { status: 'REFUSED', nowMs, refusal: 'CODE_HELD', unsure: false };
}

function isHeld(reply: ClaimReply): boolean {
  return reply.status === 'REFUSED' && reply.refusal === 'CODE_HELD';
}

function requestOf(
  attempt: Attempt,
  { code, campaign, userRefusal, rewardRefusal, extendedToMs }: Prepared,
  redemptionId: Id,
  snapshot: ClaimSnapshot,
  nowMs: number,
): ClaimRequest {
  return {
    ...attempt,
    digest: code.digest,
    redemptionId,
    token: randomUUID(),
    snapshot,
    unstored: code.unstored,
    campaignVersion: campaign.version,
    userRefusal,
    rewardRefusal,
    extendedToMs,
    hasLimits: isLimited(campaign),
    usageDay: usageDay({ campaign, atMs: nowMs }),
  };
}

function snapshotOf(attempt: Attempt, prepared: Prepared): ClaimSnapshot {
  return {
    userId: attempt.userId,
    codeId: prepared.code.codeId,
    campaignId: prepared.code.campaignId,
    batchId: prepared.code.batchId,
    productCode: attempt.productCode,
    deviceId: attempt.request.deviceId,
    idempotencyKey: attempt.idempotencyKey,
    rewards: prepared.rewards,
  };
}
