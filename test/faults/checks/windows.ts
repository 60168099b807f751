import type { Try } from '../load/client-log.js';
import type { Evidence } from './evidence.js';
import { violation, type Violation } from './violation.js';

/**
 * I8: a product line admits exactly as many attempts as its limit says. The clients of that line send no keys, so
 * each refusal but RATE_LIMITED is one attempt that was admitted, and each redemption of the line that they were told of
 * is one at least; an unknown outcome may be one.
 */
export function checkWindows(
  { tries, facts, redisForgot }: Evidence,
  productCode: string,
  limit: number,
): Violation[] {
  const own = tries.filter((each) => each.productCode === productCode);
  const ofLine = new Set(
    facts.redemptions.filter((row) => row.productCode === productCode).map(({ id }) => id),
  );
  const admitted = new Set(own.flatMap((each) => attemptOf(each, ofLine))).size;
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

/**
 * What tells one admitted attempt from another: a redemption is deferred and answered again without a further one, and
 * to somebody who had asked for it on another line without any.
 */
function attemptOf(each: Try, ofLine: ReadonlySet<string>): string[] {
  const { no, outcome } = each;
  if (isLimited(each)) return [];
  switch (outcome.kind) {
    case 'COMMITTED':
    case 'PROCESSING': {
      const id = outcome.kind === 'COMMITTED' ? outcome.redemptionId : outcome.orderNo;
      return ofLine.has(id) ? [`redemption ${id}`] : [];
    }
    case 'REFUSED':
      return [`try ${no}`];
    case 'UNKNOWN':
      return [];
  }
}

function isLimited({ outcome }: Try): boolean {
  return outcome.kind === 'REFUSED' && outcome.refusal === 'RATE_LIMITED';
}
