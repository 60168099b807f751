import type { Evidence } from './evidence.js';
import type { BatchFact } from './facts.js';
import { violation, type Violation } from './violation.js';

/** I3: at rest each batch has all its codes, as its row says; I1: the quota of the tenant counts exactly these. */
export function checkBatches({ facts: { batches, codesIssued } }: Evidence): Violation[] {
  const codes = batches.reduce((sum, batch) => sum + batch.codes, 0);
  return [
    ...batches.filter((batch) => !isWhole(batch)).map((batch) => violation('I3', wordOf(batch))),
    ...(codes === codesIssued ? [] : [violation('I1', `the quota counts ${codesIssued} of ${codes} codes`)]),
  ];
}

function isWhole({ status, requested, generated, codes }: BatchFact): boolean {
  return status === 'READY' && requested === codes && generated === codes;
}

function wordOf({ id, status, requested, generated, codes }: BatchFact): string {
  return `batch ${id} is ${status}: ${requested} codes were asked for, its row says ${generated}, there are ${codes}`;
}
