import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { isLimited } from '../../campaigns/campaign-usage.service.js';
import { StoreUnavailableError } from '../../platform/errors.js';
import type { Id } from '../../platform/ids.js';
import { resultWithin, within } from '../../platform/scheduling/timeout.js';
import { outcomeOf, Refused } from '../redeem/attempt-outcome.js';
import type { Attempt, EligibilityService, Prepared } from '../redeem/eligibility.service.js';
import { mayJoin, parseClaim, type Claim, type ClaimSnapshot } from './claim.js';
import type { CommitOutcome } from '../commit/commit-outcome.js';
import type { HeldUses } from './held-uses.js';
import type { AdmitReply, ClaimReply, KnownRedemption, RedemptionRedis } from './redemption.redis.js';
import type { GroupCommit } from '../commit/group-commit.js';

/** A copy may be evicted between its load and the claim; more often than this it is a fault. */
const LOADS_MAX = 10;
const LOAD_PAUSE_MS = 5;
/** Claims of the same user that came to nothing and are still there; more often than this it is a fault of theirs. */
const OTHERS_MAX = 10;
const OTHER_PAUSE_MS = 5;

/** What the claim script answered in the end, and what the claim holds if it was made. */
export interface ClaimResult {
  readonly snapshot: ClaimSnapshot;
  /** Under which the code was claimed: the one of its row. */
  readonly digest: string;
  readonly reply: Exclude<ClaimReply, { status: 'LOAD' }>;
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
    const { tenantId } = attempt;
    const snapshot = snapshotOf(attempt, prepared);
    let { unstored, digest } = prepared.code;
    let waitUntilMs: number | null = null;
    let others = 0;
    for (let loads = 0; loads < LOADS_MAX;) {
      const reply = await this.redis.claim({
        ...attempt,
        digest,
        redemptionId,
        token: randomUUID(),
        snapshot,
        unstored,
        campaignVersion: prepared.campaign.version,
        rewardRefusal: prepared.rewardRefusal,
        hasLimits: isLimited(prepared.campaign),
        nowMs: admitted.nowMs,
      });
      if (reply.status === 'LOAD') {
        // Longer each time: a code that is just getting a new digest cannot be claimed for a moment.
        if (loads > 0) await pause(loads * LOAD_PAUSE_MS);
        loads += 1;
        const missing = { status: 'LOAD', nowMs: reply.nowMs, epoch: admitted.epoch } as const;
        const loading = this.eligibility.findCode(attempt, missing);
        const loaded = await within(this.storeTimeoutMs, 'database', loading);
        if (loaded instanceof Refused) return loaded;
        ({ unstored, digest } = loaded);
        continue;
      }
      if (reply.status === 'REFUSED') await this.eligibility.keepCopy(tenantId, unstored);
      waitUntilMs ??= performance.now() + this.heldUses.waitMs;
      const other = reply.status === 'JOIN' ? otherClaim({ ...attempt, digest }, reply) : null;
      if (other !== null) {
        const answer = await this.afterOther(other, reply.nowMs, waitUntilMs);
        if (answer !== null) return { snapshot, digest, reply: answer };
        others += 1;
        if (others === OTHERS_MAX) return { snapshot, digest, reply: heldAt(reply.nowMs) };
        // Longer each time: it may stand in the way again, when it could be neither committed nor given up.
        if (others > 1) await pause(others * OTHER_PAUSE_MS);
      } else {
        if (!isHeld(reply)) return { snapshot, digest, reply };
        const waiting = this.heldUses.settled(tenantId, digest, waitUntilMs);
        if (!(await this.groupCommit.aside(tenantId, waiting))) return { snapshot, digest, reply };
      }
    }
    throw new StoreUnavailableError('redis', { cause: 'The copy of the code did not stay.' });
  }

  /**
   * The same user's claim under another key is settled first, whichever process made it.
   * @returns what it means for this attempt, or null when the claim came to nothing and this attempt may claim
   */
  private async afterOther(
    other: Claim,
    nowMs: number,
    waitUntilMs: number,
  ): Promise<ClaimResult['reply'] | null> {
    const settling = this.groupCommit.settle(other).catch(cameToNothing);
    const outcome = await resultWithin(Math.max(0, waitUntilMs - performance.now()), settling);
    if (outcome === null) return heldAt(nowMs);
    const settled = outcomeOf(outcome);
    if (settled.kind !== 'COMMITTED') return null;
    return { status: 'ALREADY_REDEEMED', nowMs, redemptionId: settled.record.id };
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
