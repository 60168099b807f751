import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import { migrations } from '../../src/migrations/index.js';
import { connectOrm, systemEm } from '../../src/platform/database/orm.js';
import { createEmptyDatabase, type ScratchDatabase } from '../support/scratch-database.js';

let database: ScratchDatabase;
beforeEach(async () => {
  database = await createEmptyDatabase(inject('databaseUrl'));
});
afterEach(async () => database.drop());

const NAME = 'Migration20261129040301_place_pay_and_refund_orders';

it('orders of redemptions stay as they are, and `down` removes what placed orders have', async () => {
  const orm = await connectOrm({ ...database, poolSize: 2, entities: [], migrations });
  const em = systemEm(orm);
  const columns =
    'tenant_id, id, user_id, type, status, amount, is_new, subscription_id, created_at, finished_at';
  const rows = async (what: string): Promise<unknown[]> =>
    em.execute(`select ${what} from \`order\` order by id`);
  try {
    const before = migrations[migrations.findIndex(({ name }) => name === NAME) - 1]?.name ?? '';
    await orm.migrator.up({ to: before });
    const insert = async (id: number, status: string): Promise<unknown> =>
      em.execute(
        `insert into \`order\` (${columns}) values ('T', ?, 7, 'REDEMPTION', ?, 0, 1, 9, '2026-01-02 03:04:05.678', null)`,
        [id, status],
      );
    await insert(1, 'FINISHED');
    await insert(2, 'FAILED');
    const kept = await rows(columns);
    await orm.migrator.up({ to: NAME });
    expect(await rows(columns)).toEqual(kept);
    const unset = { source_type: null, currency: null, total: null, refunded: null, closed_at: null };
    expect(await rows(Object.keys(unset).join(', '))).toEqual([unset, unset]);
    // As a program inserts them that does not know the new columns.
    await insert(3, 'FINISHED');
    await em.execute(
      `insert into \`order\` (${columns}, source_type, currency, total, paid_at)
        values ('T', 4, 7, 'PURCHASE', 'FINISHED', 5, 1, 9, now(3), now(3), 'MALL', 'USD', 5, now(3))`,
    );
    await em.execute(`insert into order_placement (tenant_id, order_id, due_at) values ('T', 4, now(3))`);
    await orm.migrator.down({ to: before });
    expect(await rows('id')).toHaveLength(4);
    await expect(rows('source_type')).rejects.toThrow('source_type');
    await expect(em.execute('select 1 from order_placement')).rejects.toThrow('order_placement');
    await orm.migrator.up();
    expect((await rows(columns)).slice(0, 2)).toEqual(kept);
  } finally {
    await orm.close(true);
  }
}, 60_000);
