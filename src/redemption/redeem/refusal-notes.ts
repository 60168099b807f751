import { setTimeout as pause } from 'node:timers/promises';
import type { CodeCopyService } from '../../codes/code-copy.service.js';
import type { FailedAttemptService } from '../../limits/failed-attempts.service.js';
import type { AttemptLimits } from '../../limits/rate-limit.service.js';
import type { Id } from '../../platform/ids.js';
import type { AttemptLog } from '../history/attempt-log.js';
import type { RefusalCounter } from '../reports/refusal-counter.js';
import { isGuess, isTelling, type RedeemRefusal } from '../redemption.errors.js';
import type { Admitted } from './admit.js';
import type { Refused } from './attempt-outcome.js';
import type { Attempt, EligibilityService } from './eligibility.service.js';
import type { RedeemRequest } from './redeem-request.js';

/** Refusals that are folded into one are answered at multiples of this, so that their times tell nothing either. */
const BEAT_MS = 100;

/** Callers who may do nothing at all leave nothing behind. */
const UNLOGGED: ReadonlySet<RedeemRefusal> = new Set(['TENANT_NOT_ACTIVE', 'USER_DISABLED', 'SESSION_ENDED']);

export interface RefusalParts {
  readonly failedAttempts: FailedAttemptService;
  readonly attemptLog: AttemptLog;
  readonly refusalCounter: Pick<RefusalCounter, 'note'>;
  readonly copies: Pick<CodeCopyService, 'isAssigned'>;
}

/** Effects of a refusal: the caller's answer, a counted failure, and a line in the log for staff. */
export class RefusalNotes {
  constructor(
    private readonly parts: RefusalParts,
    private readonly eligibility: Pick<EligibilityService, 'keysOf'>,
    private readonly uniformRefusals: boolean,
  ) {}

  /**
   * Folds a refusal that would tell a guesser something, and counts a failure before it is answered, so that a caller
   * who waits for answers is held back exactly. Folded refusals all count: else a lock-out would tell them apart.
   */
  async judged(
    attemptId: Id,
    limits: AttemptLimits,
    { attempt, admitted }: Admitted,
    refused: Refused,
  ): Promise<Refused> {
    const isFolded =
      this.uniformRefusals && isTelling(refused.refusal) && !(await this.isHolder(attempt, refused));
    // Of codes that Redis knows to be none, the admission has counted it.
    if (admitted.status !== 'NOT_FOUND' && (isFolded || isGuess(refused.refusal)))
      await this.parts.failedAttempts.note(attemptId, limits);
    return isFolded ? refused.folded() : refused;
  }

  /** Counts it, and keeps it for staff, if it is in the sample. */
  log(request: RedeemRequest, { refusal, retryAfterMs, limitedBy, campaignId }: Refused): void {
    const { tenantId, userId, productCode, deviceId, ip = null, isPreview = false } = request;
    if (UNLOGGED.has(refusal)) return;
    if (!isPreview) this.parts.refusalCounter.note({ tenantId, campaignId, productCode, outcome: refusal });
    if (!this.parts.attemptLog.wants(tenantId, userId)) return;
    const { digest } = this.eligibility.keysOf(request);
    this.parts.attemptLog.add({
      tenantId,
      userId,
      productCode,
      deviceId,
      ip,
      isPreview,
      codeDigest: digest === '' ? null : digest,
      refusal,
      retryAfterMs,
      limitedBy,
    });
  }

  /** Whether the code is known to be the caller's: the true reason then reveals nothing. */
  private async isHolder({ tenantId, digests, userId }: Attempt, { refusal }: Refused): Promise<boolean> {
    return refusal !== 'CODE_NOT_FOUND' && this.parts.copies.isAssigned(tenantId, digests, userId);
  }
}

/** Waits for the next beat since an attempt began. */
export async function evenOut(beganMs: number): Promise<void> {
  await pause(BEAT_MS - ((performance.now() - beganMs) % BEAT_MS));
}
