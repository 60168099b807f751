import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import { migrations } from '../../src/migrations/index.js';
import { connectOrm, systemEm } from '../../src/platform/database/orm.js';
import { createEmptyDatabase, type ScratchDatabase } from '../support/scratch-database.js';

let database: ScratchDatabase;
beforeEach(async () => {
  database = await createEmptyDatabase(inject('databaseUrl'));
});
afterEach(async () => database.drop());

const NAME = 'Migration20261129040401_let_redemptions_be_reversed';

it('redemptions can be reversed and balances given, and `down` keeps the rows of both', async () => {
  const orm = await connectOrm({ ...database, poolSize: 2, entities: [], migrations });
  const em = systemEm(orm);
  const grants = async () =>
    em.execute('select reward_no as no, type, status from reward_grant order by reward_no');
  const addGrant = async (no: number, type: string, status: string) =>
    em.execute(
      `insert into reward_grant (tenant_id, redemption_id, reward_no, type, status, source_id, target_id, value, granted_at)
        values ('T', 1, ?, ?, ?, '1', 1, 0, now(3))`,
      [no, type, status],
    );
  try {
    const before = migrations[migrations.findIndex(({ name }) => name === NAME) - 1]?.name ?? '';
    await orm.migrator.up({ to: before });
    await em.execute(
      `insert into redemption (tenant_id, id, status, code_id, campaign_id, batch_id, user_id, use_no, user_use_no,
          product_code, claimed_at, settled_at) values ('T', 1, 'COMMITTED', 1, 1, 1, 1, 1, 1, 'A', now(3), now(3))`,
    );
    for (const [no, type] of ['SUBSCRIPTION', 'COUPON', 'POINTS'].entries())
      await addGrant(no, type, 'GRANTED');
    await orm.migrator.up({ to: NAME });
    const kept = [
      { no: 0, type: 'SUBSCRIPTION', status: 'GRANTED' },
      { no: 1, type: 'COUPON', status: 'GRANTED' },
      { no: 2, type: 'POINTS', status: 'GRANTED' },
    ];
    expect(await grants()).toEqual(kept);
    await addGrant(3, 'BALANCE', 'REVERSED');
    await em.execute(
      `update redemption set status = 'REVERSED', reversed_at = now(3), reversed_by = 'eve', reversal_reason = 'why'`,
    );
    await orm.migrator.down({ to: before });
    expect(await grants()).toEqual([...kept, { no: 3, type: 'MONEY', status: 'REVERSED' }]);
    expect(await em.execute('select status from redemption')).toEqual([{ status: 'REVERSED' }]);
    await orm.migrator.up({ to: NAME });
    expect(await grants()).toEqual([...kept, { no: 3, type: 'BALANCE', status: 'REVERSED' }]);
  } finally {
    await orm.close(true);
  }
}, 60_000);
