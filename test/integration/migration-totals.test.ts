import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { migrations } from '../../src/migrations/index.js';
import { connectOrm, systemEm } from '../../src/platform/database/orm.js';
import { createEmptyDatabase, type ScratchDatabase } from '../support/scratch-database.js';

let database: ScratchDatabase;
beforeAll(async () => {
  database = await createEmptyDatabase(inject('databaseUrl'));
});
afterAll(async () => database?.drop());

const NAME = 'Migration20261129011403_count_codes_and_redemptions';
const NO_START = '1970-01-01 00:00:00.000';
const NO_END = '9999-12-31 23:59:59.999';

it('codes and redemptions from before are counted by what lists go by, again after a run that was ended', async () => {
  const orm = await connectOrm({ ...database, poolSize: 2, entities: [], migrations });
  const em = systemEm(orm);
  const code = async (id: number, columns: Record<string, unknown> = {}) => {
    const row = {
      tenant_id: 'T_1',
      id,
      code_digest: `d${id}`,
      digest_key_id: 1,
      last_four: 'ABCD',
      campaign_id: 5,
      batch_id: 6,
      status: 'ACTIVE',
      use_limit: 1,
      issued_at: '2026-01-01 00:00:00.123',
      ...columns,
    };
    await em.execute(`insert into code (${Object.keys(row).join(', ')}) values (?)`, [Object.values(row)]);
  };
  const redemption = async (id: number, status: string, claimedAt: string, rewards: readonly number[]) => {
    await em.execute(
      `insert into redemption (tenant_id, id, status, code_id, campaign_id, batch_id, user_id, product_code, claimed_at, settled_at)
        values ('T_1', ?, ?, ?, 5, 6, 1, 'APP_A', ?, ?)`,
      [id, status, id, claimedAt, claimedAt],
    );
    for (const rewardNo of rewards)
      await em.execute(
        `insert into reward_grant (tenant_id, redemption_id, reward_no, type, status, source_id, target_id, value, granted_at)
          values ('T_1', ?, ?, 'SUBSCRIPTION', 'GRANTED', '1', 1, 0, ?)`,
        [id, rewardNo, claimedAt],
      );
  };
  const codeTotals = async () =>
    em.execute(
      `select status, cast(starts_at as char) as starts, cast(expires_at as char) as ends, is_assigned as assigned,
          is_used_up as usedUp, total from code_total where tenant_id = 'T_1' and total <> 0 order by 1, 2, 3, 4, 5`,
    );
  const redemptionTotals = async () =>
    em.execute(
      `select day, rewards, status, total from redemption_total where tenant_id = 'T_1' and total <> 0 order by 1, 2, 3`,
    );
  const like = (columns: object) => ({
    status: 'ACTIVE',
    starts: NO_START,
    ends: NO_END,
    assigned: 0,
    usedUp: 0,
    total: 1,
    ...columns,
  });
  try {
    const before = migrations[migrations.findIndex(({ name }) => name === NAME) - 1]?.name;
    await orm.migrator.up({ to: before ?? '' });
    for (const id of [1, 2, 3]) await code(id);
    await code(4, { used: 1 });
    await code(5, { use_limit: 0, used: 7 });
    await code(6, {
      assigned_user_id: 9,
      starts_at: '2026-02-01 00:00:00.000',
      expires_at: '2026-03-01 00:00:00.000',
    });
    await code(7, { status: 'DISABLED' });
    await code(8, { deleted_at: '2026-01-02 00:00:00.000' });
    await redemption(11, 'COMMITTED', '1970-01-02 23:59:59.999', [0, 2]);
    await redemption(12, 'COMMITTED', '1970-01-03 00:00:00.000', []);
    await redemption(13, 'REVERSED', '1970-01-03 00:00:00.000', [1]);
    await redemption(14, 'ABORTED', '1970-01-03 00:00:00.000', []);
    await orm.migrator.up({ to: NAME });
    const codes = [
      like({ total: 4 }),
      like({ usedUp: 1 }),
      like({ starts: '2026-02-01 00:00:00.000', ends: '2026-03-01 00:00:00.000', assigned: 1 }),
      like({ status: 'DISABLED' }),
    ];
    const redemptions = [
      { day: 1, rewards: 5, status: 'COMMITTED', total: 1 },
      { day: 2, rewards: 0, status: 'COMMITTED', total: 1 },
      { day: 2, rewards: 2, status: 'REVERSED', total: 1 },
    ];
    expect([await codeTotals(), await redemptionTotals()]).toEqual([codes, redemptions]);
    await em.execute(`delete from schema_migration where name = ?`, [NAME]);
    await code(9, { used: 1 });
    await em.execute('update code set used = 1 where id = 3');
    await em.execute('update redemption set id = 15 where id = 12');
    await orm.migrator.up({ to: NAME });
    const [unused, ...others] = codes;
    expect(await codeTotals()).toEqual([
      { ...unused, total: 3 },
      { ...others[0], total: 3 },
      ...others.slice(1),
    ]);
    expect(await redemptionTotals()).toEqual(redemptions);
  } finally {
    await orm.close(true);
  }
});
