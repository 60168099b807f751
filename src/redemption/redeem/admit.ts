import type { RateWindow } from '../../limits/rate-limit.service.js';
import type { Id } from '../../platform/ids.js';
import type { Attempt } from './eligibility.service.js';
import type { AdmitReply, RedemptionRedis } from '../claim/redemption.redis.js';

/** An attempt, by the digest that Redis knows its code by. */
export interface Admitted {
  readonly attempt: Attempt;
  readonly admitted: AdmitReply;
}

/**
 * Admits an attempt. Between two peppers a code may be stored under another digest than the current pepper's: where
 * Redis knows nothing of that one, it is asked for the others, which counts no attempt.
 */
export async function admit(
  redis: RedemptionRedis,
  attemptId: Id,
  attempt: Attempt,
  windows: readonly RateWindow[],
): Promise<Admitted> {
  const admitted = await redis.admit(attemptId, attempt, windows);
  for (const digest of otherDigests(attempt, admitted)) {
    const other = { ...attempt, digest };
    const again = await redis.admit(attemptId, other, []);
    if (again.status === 'KNOWN' || again.status === 'FOUND') return { attempt: other, admitted: again };
  }
  return { attempt, admitted };
}

/** A key leads to one digest; a code without a copy may have one under any. */
function otherDigests({ digest, digests }: Attempt, admitted: AdmitReply): readonly string[] {
  const others = digests.filter((each) => each !== digest);
  if (admitted.status === 'KNOWN') return others.filter((each) => each === admitted.digest);
  return admitted.status === 'LOAD' ? others : [];
}
