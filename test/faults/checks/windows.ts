import type { Try } from '../load/client-log.js';
import type { Evidence } from './evidence.js';
import { violation, type Violation } from './violation.js';

/**
 * I8: a product line admits exactly as many attempts as its limit says. The clients of that line send no keys, so
 * every answer but RATE_LIMITED is one attempt that was admitted, and an unknown outcome may be one. A promise that is
 * repeated while the database is away is no further attempt.
 */
export function checkWindows(
  { tries, redisForgot }: Evidence,
  productCode: string,
  limit: number,
): Violation[] {
  const own = tries.filter((each) => each.productCode === productCode);
  const admitted = own.filter((each, at) => isAdmitted(each) && !isRepeated(each, own.slice(0, at)));
  const found: string[] = [];
  if (admitted.length > limit && !redisForgot) {
    found.push(`${admitted.length} attempts of ${productCode} were admitted, the limit is ${limit}`);
  }
  for (const refused of own.filter(isLimited)) {
    const before = own.filter((each) => !isLimited(each) && each.startMs <= (refused.endMs ?? Infinity));
    if (before.length < limit) {
      found.push(`try ${refused.no} was answered RATE_LIMITED after ${before.length} of ${limit} attempts`);
    }
  }
  return found.map((what) => violation('I8', what));
}

function isAdmitted(each: Try): boolean {
  return !isLimited(each) && each.outcome.kind !== 'UNKNOWN';
}

function isRepeated({ outcome }: Try, before: readonly Try[]): boolean {
  if (outcome.kind !== 'PROCESSING') return false;
  return before.some(
    (each) => each.outcome.kind === 'PROCESSING' && each.outcome.orderNo === outcome.orderNo,
  );
}

function isLimited({ outcome }: Try): boolean {
  return outcome.kind === 'REFUSED' && outcome.refusal === 'RATE_LIMITED';
}
