import { expect, it } from 'vitest';
import { RefusalCounter } from '../../src/redemption/reports/refusal-counter.js';

type Parts = ConstructorParameters<typeof RefusalCounter>[0];
type Row = readonly [
  tenantId: string,
  step: string,
  campaignId: string,
  productCode: string,
  ...rest: unknown[],
];

/** Takes rows as the database would. */
function counterOf(rows: Row[]): RefusalCounter {
  const em = {
    config: { get: () => false },
    execute: async (_sql: string, values: readonly Row[]) => {
      rows.push(...values);
      return Promise.resolve([]);
    },
  };
  const run = async (_tenantId: string, work: (of: object) => Promise<unknown>) => work(em);
  return new RefusalCounter({
    clock: { nowMs: () => 90_000 },
    transactions: { run },
    lines: { find: async (_tenantId: string, code: string) => Promise.resolve(code === 'APP_A' ? {} : null) },
    log: {},
  } as unknown as Parts);
}

const totalOf = (row: Row): number => Number(row.at(-1));

it('refusals of many campaigns are counted one by one up to a bound, and further ones together', async () => {
  const rows: Row[] = [];
  const counter = counterOf(rows);
  for (let campaign = 1; campaign <= 6000; campaign += 1)
    counter.note({
      tenantId: 'T_1',
      campaignId: String(campaign),
      productCode: null,
      outcome: 'CODE_EXPIRED',
    });
  await counter.flush();
  const days = rows.filter(([, step]) => step === 'DAY');
  expect(days).toHaveLength(5001);
  expect(days.filter(([, , campaignId]) => campaignId === '0').map(totalOf)).toEqual([6000]);
});

it('what a caller names before its product line was found is not counted by', async () => {
  const rows: Row[] = [];
  const counter = counterOf(rows);
  const of = { tenantId: 'T_1', campaignId: null };
  counter.note({ ...of, productCode: 'APP_A', outcome: 'CODE_MALFORMED' });
  counter.note({ ...of, productCode: 'RANDOM', outcome: 'PRODUCT_UNKNOWN' });
  counter.note({ ...of, productCode: 'RANDOM', outcome: 'RATE_LIMITED' });
  await counter.flush();
  const days = rows.filter(([, step]) => step === 'DAY');
  expect(days.map(([, , , productCode, , outcome, total]) => [productCode, outcome, total])).toEqual([
    ['', 'CODE_MALFORMED', 1],
    ['', 'PRODUCT_UNKNOWN', 1],
    ['', 'RATE_LIMITED', 1],
    ['APP_A', 'CODE_MALFORMED', 1],
  ]);
});
