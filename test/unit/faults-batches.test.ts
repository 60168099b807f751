import { expect, it } from 'vitest';
import { checkBatches } from '../faults/checks/batches.js';
import type { BatchFact } from '../faults/checks/facts.js';
import { healthyEvidence } from '../support/healthy-evidence.js';

const WHOLE: BatchFact = { id: '5', status: 'READY', requested: 4, generated: 4, codes: 4 };

it.each<[string, Partial<BatchFact>, number, string[]]>([
  ['a whole batch', {}, 4, []],
  [
    'one that is not made to its end',
    { status: 'GENERATING' },
    4,
    ['I3 batch 5 is GENERATING: 4 codes were asked for, its row says 4, there are 4'],
  ],
  [
    'one with a chunk that was made twice',
    { codes: 6 },
    6,
    ['I3 batch 5 is READY: 4 codes were asked for, its row says 4, there are 6'],
  ],
  [
    'one whose row counts less than is there',
    { generated: 3 },
    4,
    ['I3 batch 5 is READY: 4 codes were asked for, its row says 3, there are 4'],
  ],
  ['a quota that counts others', {}, 9, ['I1 the quota counts 9 of 4 codes']],
])('of %s is reported what is wrong', (_what, change, codesIssued, found) => {
  const evidence = healthyEvidence();
  evidence.facts.batches = [{ ...WHOLE, ...change }];
  evidence.facts.codesIssued = codesIssued;
  expect(checkBatches(evidence).map(({ invariant, what }) => `${invariant} ${what}`)).toEqual(found);
});
