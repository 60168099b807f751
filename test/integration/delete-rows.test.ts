import { randomBytes } from 'node:crypto';
import type { MikroORM } from '@mikro-orm/core';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { CodePoolItem } from '../../src/codes/code-pool.entity.js';
import { deleteRows, lockUnheld, type RowKeys } from '../../src/platform/database/delete-rows.js';
import { connectOrm, tenantEm, type Em } from '../../src/platform/database/orm.js';

const ROWS = 500;

let orm: MikroORM;
beforeAll(async () => {
  orm = await connectOrm({ databaseUrl: inject('databaseUrl'), poolSize: 4, entities: [CodePoolItem] });
});
afterAll(async () => orm?.close(true));

/** Rows 1, 2, … of a key with a prefix of two columns, of which another transaction holds one. */
async function scene(heldId: string) {
  const tenantId = `T_${randomBytes(6).toString('hex').toUpperCase()}`;
  const of = { tenantId, campaignId: '1' };
  const all = Array.from({ length: ROWS }, (_, index) => String(index + 1));
  const em = () => tenantEm(orm, tenantId);
  await em().insertMany(
    CodePoolItem,
    all.map((codeId) => ({ ...of, codeId })),
  );
  const keysOf = (ids: readonly string[]): RowKeys => ({
    table: 'code_pool_item',
    prefix: { tenant_id: tenantId, campaign_id: '1' },
    column: 'code_id',
    ids,
  });
  const whileHeld = async (work: (em: Em) => Promise<void>): Promise<void> => {
    const holder = em();
    await holder.begin();
    await holder.execute(
      'select 1 from code_pool_item where tenant_id = ? and campaign_id = 1 and code_id = ? for update',
      [tenantId, heldId],
    );
    try {
      await work(em());
    } finally {
      await holder.rollback();
    }
  };
  return { all, em, keysOf, whileHeld };
}

it('deletes the rows that it is given, and does not wait for another one that is held', async () => {
  const { all, em, keysOf, whileHeld } = await scene('1');
  const others = all.slice(1);
  await whileHeld(async (own) => {
    expect(await deleteRows(own, keysOf([...others, '4711']))).toBe(ROWS - 1);
  });
  expect((await em().find(CodePoolItem, {})).map(({ codeId }) => codeId)).toEqual(['1']);
  expect(await deleteRows(em(), keysOf([]))).toBe(0);
});

it('leaves out the rows that another transaction holds where it is only to lock what is free', async () => {
  const { all, keysOf, whileHeld } = await scene('250');
  await whileHeld(async (own) => {
    const free = await lockUnheld(own, keysOf(all));
    expect(free.map(Number).toSorted((a, b) => a - b)).toEqual(all.map(Number).filter((id) => id !== 250));
  });
});
