import { randomBytes } from 'node:crypto';
import type { MikroORM } from '@mikro-orm/core';
import { afterAll, beforeAll, expect, inject, it, vi } from 'vitest';
import { InvariantError } from '../../src/platform/assert.js';
import { connectOrm, systemEm, tenantEm } from '../../src/platform/database/orm.js';
import { writeRows, type NewRows } from '../../src/platform/database/write-rows.js';
import type { RowValues } from '../../src/platform/database/insert-rows.js';

/** More than one statement takes. */
const ROWS = 250;
/** Of this size as ids are: neighbours that are one and the same double. */
const FIRST = 381_027_538_331_235_692n;

let orm: MikroORM;
beforeAll(async () => {
  orm = await connectOrm({ databaseUrl: inject('databaseUrl'), poolSize: 4, entities: [] });
});
afterAll(async () => orm?.close(true));

/** Lots of a tenant of their own, with ids one after another. */
async function scene() {
  const tenantId = `T_${randomBytes(6).toString('hex').toUpperCase()}`;
  const ids = Array.from({ length: ROWS }, (_, at) => String(FIRST + BigInt(at)));
  const em = tenantEm(orm, tenantId);
  const insert = ids.map(() => '(?, ?, 1, 1000, 1000, 0, now(3))').join(', ');
  await em.execute(
    `insert into points_lot (tenant_id, id, user_id, granted, remaining, spent, created_at) values ${insert}`,
    ids.flatMap((id) => [tenantId, id]),
  );
  const rowsOf = (rows: NewRows['rows'], common?: NewRows['common']): NewRows => ({
    table: 'points_lot',
    prefix: { tenant_id: tenantId },
    column: 'id',
    rows,
    ...(common !== undefined && { common }),
  });
  const stored = async () =>
    em.execute<RowValues[]>(
      `select cast(id as char) as id, remaining, spent, expires_at as expiresAt from points_lot
        where tenant_id = ? order by points_lot.id`,
      [tenantId],
    );
  return { ids, em, rowsOf, stored };
}

it('writes each row its own values, nulls and instants too, and all the same ones; and makes no row', async () => {
  const { ids, em, rowsOf, stored } = await scene();
  const end = '2027-03-04 05:06:07.089';
  const wanted = ids.map((id, at) => ({ id, remaining: at, expiresAt: at % 2 === 0 ? end : null }));
  const rows = wanted.map(
    ({ id, remaining, expiresAt }) =>
      [id, { remaining, expires_at: expiresAt && new Date(`${expiresAt}Z`) }] as const,
  );
  const missing = [String(FIRST - 1n), { remaining: 7, expires_at: null }] as const;
  const counted = await writeRows(em, rowsOf([missing, ...rows], ['spent = spent + ?', 3]));
  expect(counted).toBe(ROWS);
  expect(await stored()).toEqual(wanted.map((row) => ({ ...row, spent: 3 })));
});

it('sends what one statement does not take in the same message', async () => {
  const { ids, rowsOf, stored } = await scene();
  const several = await connectOrm({
    databaseUrl: inject('databaseUrl'),
    poolSize: 1,
    severalStatements: true,
    entities: [],
  });
  try {
    const em = systemEm(several);
    const sent = vi.spyOn(em, 'execute');
    expect(await writeRows(em, rowsOf(ids.map((id) => [id, { remaining: 3 }])))).toBe(ROWS);
    expect(sent).toHaveBeenCalledTimes(1);
    expect(new Set((await stored()).map(({ remaining }) => remaining))).toEqual(new Set([3]));
  } finally {
    await several.close(true);
  }
});

it('leaves the rows alone that it is not given', async () => {
  const { ids, em, rowsOf, stored } = await scene();
  const before = await stored();
  expect(await writeRows(em, rowsOf([[ids[1] ?? '', { remaining: 0 }]]))).toBe(1);
  expect(await stored()).toEqual(before.map((row, at) => (at === 1 ? { ...row, remaining: 0 } : row)));
  expect(await writeRows(em, rowsOf([]))).toBe(0);
});

it('writes no row where a value is missing, which the database would take for null', async () => {
  const { ids, em, rowsOf, stored } = await scene();
  const before = await stored();
  const rows = [
    [ids[0] ?? '', { expires_at: null, remaining: 5 }],
    [ids[1] ?? '', { expires_at: null }],
  ] as const;
  await expect(writeRows(em, rowsOf(rows))).rejects.toThrow(InvariantError);
  expect(await stored()).toEqual(before);
});

it('does not wait for another row of the tenant that somebody is changing', async () => {
  const { ids, em, rowsOf, stored } = await scene();
  const before = await stored();
  const [held = '', ...others] = ids;
  const holder = em.fork();
  await holder.begin();
  await writeRows(holder, rowsOf([[held, { remaining: 1 }]]));
  for (const some of [others, others.slice(0, 1)])
    expect(await writeRows(em, rowsOf(some.map((id) => [id, { remaining: 2 }])))).toBe(some.length);
  await holder.rollback();
  expect(await stored()).toEqual(before.map((row, at) => (at === 0 ? row : { ...row, remaining: 2 })));
});
