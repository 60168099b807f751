import type { Try } from '../load/client-log.js';
import type { Evidence } from './evidence.js';
import { violation, type Violation } from './violation.js';

/**
 * I8: a product line admits exactly as many attempts as its limit says. The clients of that line send no keys, so
 * each refusal but RATE_LIMITED is one attempt that was admitted, and each redemption that they were told of is one at
 * least; an unknown outcome may be one. A promise that was given on another line before is repeated without a look at
 * this one's limit.
 */
export function checkWindows(
  { tries, redisForgot }: Evidence,
  productCode: string,
  limit: number,
): Violation[] {
  const own = tries.filter((each) => each.productCode === productCode);
  const admitted = new Set(own.filter((each) => !isPromisedElsewhere(each, tries)).flatMap(attemptOf)).size;
  const found: string[] = [];
  if (admitted > limit && !redisForgot) {
    found.push(`${admitted} attempts of ${productCode} were admitted, the limit is ${limit}`);
  }
  for (const refused of own.filter(isLimited)) {
    const before = own.filter((each) => !isLimited(each) && each.startMs <= (refused.endMs ?? Infinity));
    if (before.length < limit) {
      found.push(`try ${refused.no} was answered RATE_LIMITED after ${before.length} of ${limit} attempts`);
    }
  }
  return found.map((what) => violation('I8', what));
}

/** What tells one admitted attempt from another: a redemption is promised and told of again without a further one. */
function attemptOf(each: Try): string[] {
  const { no, outcome } = each;
  if (isLimited(each)) return [];
  switch (outcome.kind) {
    case 'COMMITTED':
      return [`redemption ${outcome.redemptionId}`];
    case 'PROCESSING':
      return [`redemption ${outcome.orderNo}`];
    case 'REFUSED':
      return [`try ${no}`];
    case 'UNKNOWN':
      return [];
  }
}

function isPromisedElsewhere(promised: Try, tries: readonly Try[]): boolean {
  const { no, outcome, productCode, userId, codeId } = promised;
  if (outcome.kind !== 'PROCESSING') return false;
  const before = tries.filter((each) => each.no < no && each.userId === userId && each.codeId === codeId);
  return before.some((each) => each.productCode !== productCode && leavesOpen(each));
}

function leavesOpen({ outcome }: Try): boolean {
  return outcome.kind === 'UNKNOWN' || outcome.kind === 'PROCESSING';
}

function isLimited({ outcome }: Try): boolean {
  return outcome.kind === 'REFUSED' && outcome.refusal === 'RATE_LIMITED';
}
