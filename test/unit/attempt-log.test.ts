import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { AttemptLog, type AttemptLogParts } from '../../src/redemption/history/attempt-log.js';

const TENANT_ROWS = 10;
const ENTRY = {
  tenantId: 'T_1',
  productCode: null,
  deviceId: null,
  ip: null,
  codeDigest: null,
  isPreview: false,
  refusal: 'CODE_NOT_FOUND',
  limitedBy: null,
  retryAfterMs: null,
} as const;

it('X.5 keeps one bounded sample while the database does not take the one before', async () => {
  const written: number[] = [];
  const hanging = Promise.withResolvers<void>();
  const insertMany = async (_entity: unknown, rows: readonly unknown[]): Promise<void> => {
    written.push(rows.length);
    await hanging.promise;
  };
  let lastId = 0;
  const parts = {
    transactions: {
      run: async (_tenant: null, work: (em: object) => Promise<void>) =>
        work({ insertMany, execute: async () => [] }),
    },
    clock: { nowMs: () => 0 },
    ids: { next: () => String((lastId += 1)) },
  } as unknown as AttemptLogParts;
  const log = new AttemptLog(parts, 6 * TENANT_ROWS);
  const flushed = [];
  for (let round = 0; round < 5; round += 1) {
    for (let user = 0; user < 100; user += 1) {
      const userId = String(100 * round + user);
      if (log.wants(ENTRY.tenantId, userId)) log.add({ ...ENTRY, userId });
    }
    flushed.push(log.flush());
    await nextTurn();
  }
  expect(written).toEqual([TENANT_ROWS]);
  hanging.resolve();
  await Promise.all(flushed);
  expect(written).toEqual([TENANT_ROWS, TENANT_ROWS]);
});
