import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import {
  countDeviations,
  overRedeemed,
  underRedeemed,
  type CountedAttempt,
  type CountedCode,
  type CountedRow,
} from '../bench/count.js';
import { figureOf } from '../bench/figures.js';
import { median, percentile } from '../bench/statistics.js';
import { COMPILED } from '../support/processes.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
const FIGURES = [
  'redeem_vs_raw',
  'empty_vs_raw',
  'redeem_cpu_vs_raw',
  'redeem_vs_empty',
  'redeem_vs_empty_256',
  'redeem_vs_plain',
  'hot_code_vs_distinct',
  'redeem_four_rewards_vs_redeem',
  'redeem_conditions_vs_redeem',
  'encrypted_vs_plain',
  'refusal_vs_empty',
  'race_loser_vs_refusal',
  'many_tenants_vs_one',
  'generate_vs_bulk_load',
  'redis_bytes_per_untouched_code',
  'redis_bytes_per_idle_code',
  'transfers_vs_raw_sql',
  'close_orders',
  'race_loser_p99_ms',
  'race_losers_held',
  'transactions_per_1000',
];
const SOUND = {
  rowsBeyondLimit: 0,
  rowsWithoutAnswer: 0,
  usesNotCounted: 0,
  answersWithoutRow: 0,
  refusedThoughFree: 0,
  usesLost: 0,
};

const code = (over: Partial<CountedCode> = {}): CountedCode => ({
  codeId: 'c1',
  useLimit: 2,
  used: 2,
  isOpen: true,
  ...over,
});
const row = (no: number, over: Partial<CountedRow> = {}): CountedRow => ({
  id: `r${no}`,
  codeId: 'c1',
  userId: `u${no}`,
  ...over,
});
const told = (no: number, over: Partial<CountedAttempt> = {}): CountedAttempt => ({
  codeId: 'c1',
  userId: `u${no}`,
  redemptionId: `r${no}`,
  ...over,
});
const refused = (no: number): CountedAttempt => told(no, { redemptionId: null });

/** Two deviations of a kind make sure that they are counted, not only noticed. */
describe('counting of a benchmark (X.3)', () => {
  it('finds nothing where limits, rows, counters and answers agree', () => {
    const attempts = [told(1), told(2), refused(3), refused(4)];
    expect(countDeviations([code()], [row(1), row(2)], attempts)).toEqual(SOUND);
  });

  it('counts rows beyond a limit as over-redeemed', () => {
    const rows = [row(1), row(2), row(3), row(4)];
    const found = countDeviations([code({ used: 4 })], rows, [told(1), told(2), told(3), told(4)]);
    expect(found).toEqual({ ...SOUND, rowsBeyondLimit: 2 });
    expect([overRedeemed(found), underRedeemed(found)]).toEqual([2, 0]);
  });

  it('counts every row of a code that no user may redeem, and of one that does not exist', () => {
    const rows = [row(1), row(2, { codeId: 'c9' })];
    const codes = [code({ isOpen: false, used: 1 })];
    const found = countDeviations(codes, rows, [told(1), told(2, { codeId: 'c9' })]);
    expect(found).toEqual({ ...SOUND, rowsBeyondLimit: 2 });
  });

  it('counts rows that no client got as over-redeemed', () => {
    const found = countDeviations([code()], [row(1), row(2)], [refused(1), refused(2)]);
    expect(found).toEqual({ ...SOUND, rowsWithoutAnswer: 2 });
    expect([overRedeemed(found), underRedeemed(found)]).toEqual([2, 0]);
  });

  it('counts uses that the counter of a code lacks as over-redeemed', () => {
    const found = countDeviations([code({ used: 0 })], [row(1), row(2)], [told(1), told(2)]);
    expect(found).toEqual({ ...SOUND, usesNotCounted: 2 });
    expect(overRedeemed(found)).toBe(2);
  });

  it('counts answers without a row as under-redeemed, and those that name the row of another', () => {
    const attempts = [told(1), told(2), told(3, { redemptionId: 'r1' }), told(4, { redemptionId: 'r9' })];
    const found = countDeviations([code()], [row(1), row(2)], attempts);
    expect(found).toEqual({ ...SOUND, answersWithoutRow: 2 });
    expect([overRedeemed(found), underRedeemed(found)]).toEqual([0, 2]);
  });

  it('counts an answer of success for a code that does not exist', () => {
    const found = countDeviations([], [], [told(1, { codeId: null })]);
    expect(underRedeemed(found)).toBe(1);
  });

  it('counts users who were refused although uses were left as under-redeemed', () => {
    const attempts = [refused(1), refused(2), refused(3), refused(3)];
    const limited = countDeviations([code({ used: 0 })], [], attempts);
    expect(limited).toEqual({ ...SOUND, refusedThoughFree: 2 });
    const unlimited = countDeviations([code({ useLimit: 0, used: 0 })], [], attempts);
    expect(unlimited).toEqual({ ...SOUND, refusedThoughFree: 3 });
    expect(underRedeemed(unlimited)).toBe(3);
  });

  it('counts uses that a counter holds without a row as under-redeemed', () => {
    const found = countDeviations([code({ useLimit: 5, used: 4 })], [row(1), row(2)], [told(1), told(2)]);
    expect(found).toEqual({ ...SOUND, usesLost: 2 });
    expect(underRedeemed(found)).toBe(2);
  });
});

describe('figures of a benchmark (X.3)', () => {
  it('takes the middle of the pairs and the least value that a share does not exceed', () => {
    expect([median([3, 1, 2]), median([4, 1, 3, 2]), median([7])]).toEqual([2, 2.5, 7]);
    const values = new Float64Array([5, 1, 4, 2, 3]);
    expect([percentile(values, 0.5), percentile(values, 0.99)]).toEqual([3, 5]);
  });

  it('says whether a target is met', () => {
    expect(figureOf('redeem_vs_plain', 4.9999)).toMatchObject({ value: 5, isMet: true });
    expect(figureOf('redeem_vs_plain', 4.9)).toMatchObject({ target: '≥ 5', isMet: false });
    expect(figureOf('transactions_per_1000', 26)).toMatchObject({ target: '≤ 25', isMet: false });
    expect(figureOf('over_redeemed', 1)).toMatchObject({ isMet: false });
  });
});

describe('the benchmark itself (X.3)', () => {
  it('redeems over HTTP, neither over- nor under-redeems, and prints one JSON object', async () => {
    const args = ['--import', './scripts/typescript.mjs', 'test/bench/main.ts', '--smoke', '--json'];
    const settings = { cwd: ROOT, env: { ...process.env, ...COMPILED } };
    const { stdout } = await promisify(execFile)(process.execPath, args, settings);
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(1);
    const report = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
    expect(report).toMatchObject({
      over_redeemed: 0,
      under_redeemed: 0,
      unexpected_answers: {},
      sound: true,
    });
    for (const name of FIGURES) expect(report[name]).toBeTypeOf('number');
    // A minute of two idle cores.
  }, 400_000);
});
