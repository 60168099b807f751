import { isLimited } from '../../campaigns/campaign-usage.service.js';
import { NO_LIMITS, scopeOf } from '../../limits/rate-limit.service.js';
import { isSet } from '../../platform/assert.js';
import { StoreUnavailableError } from '../../platform/errors.js';
import type { Id } from '../../platform/ids.js';
import { Refused } from './attempt-outcome.js';
import type { Attempt, EligibilityService, Terms } from './eligibility.service.js';
import type { AdmitReply, RedemptionRedis } from '../claim/redemption.redis.js';
import { refusalOfScript } from '../redemption.errors.js';

/** Changes of limits during one admission; more than that are treated as a fault of Redis. */
const READS_MAX = 5;

/** An attempt, by the digest that Redis knows its code by and the limits that it was judged by. */
export interface Admitted {
  readonly attempt: Attempt;
  readonly admitted: Exclude<AdmitReply, { readonly status: 'LIMITS_CHANGED' }>;
}

export interface Admission {
  readonly redis: RedemptionRedis;
  readonly eligibility: Pick<EligibilityService, 'limitedAgain'>;
}

/**
 * Admits an attempt. Between two peppers a code may be stored under another digest than the current pepper's: where
 * Redis knows nothing of that one, it is asked for the others, which counts no attempt.
 */
export async function admit(
  { redis, eligibility }: Admission,
  attemptId: Id,
  begun: Attempt,
): Promise<Admitted> {
  let attempt = begun;
  let admitted = await redis.admit(attemptId, attempt, attempt.limits);
  for (let reads = 0; admitted.status === 'LIMITS_CHANGED'; reads += 1) {
    if (reads === READS_MAX) throw new StoreUnavailableError('redis', { cause: 'The limits did not stay.' });
    attempt = await eligibility.limitedAgain(attempt, admitted.version);
    admitted = await redis.admit(attemptId, attempt, attempt.limits);
  }
  for (const digest of otherDigests(attempt, admitted)) {
    const other = { ...attempt, digest };
    const again = await redis.admit(attemptId, other);
    if (again.status === 'KNOWN' || again.status === 'FOUND') return { attempt: other, admitted: again };
  }
  return { attempt, admitted };
}

/** The same attempt with another id: it is counted already. */
export function uncounted(attempt: Attempt): Attempt {
  return { ...attempt, limits: NO_LIMITS };
}

/** The refusal of an attempt beyond a limit. */
export function rateLimited(
  { limits }: Attempt,
  { retryAfterMs, heldBackBy }: Extract<AdmitReply, { readonly status: 'RATE_LIMITED' }>,
): Refused {
  return new Refused('RATE_LIMITED', null, retryAfterMs, scopeOf(limits, heldBackBy));
}

/**
 * The refusal of a code by its copy, which the admission has found out. Null where the campaign or the batch may come
 * before it: then the claim tells.
 */
export function refusalByCopy(admitted: AdmitReply, { campaign, extendedToMs }: Terms): Refused | null {
  if (admitted.status !== 'FOUND' || admitted.refusal === null) return null;
  if (admitted.refusal === 'CODE_EXPIRED' && extendedToMs !== null) return null;
  if (admitted.refusal === 'CODE_EXHAUSTED' && (isLimited(campaign) || isSet(campaign.rule.when)))
    return null;
  return new Refused(refusalOfScript(admitted.refusal));
}

/** A key leads to one digest; a code without a copy may have one under any. */
function otherDigests({ digest, digests }: Attempt, admitted: AdmitReply): readonly string[] {
  const others = digests.filter((each) => each !== digest);
  if (admitted.status === 'KNOWN') return others.filter((each) => each === admitted.digest);
  return admitted.status === 'LOAD' ? others : [];
}
