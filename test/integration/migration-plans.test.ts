import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import { migrations } from '../../src/migrations/index.js';
import { connectOrm, systemEm } from '../../src/platform/database/orm.js';
import { createEmptyDatabase, type ScratchDatabase } from '../support/scratch-database.js';

let database: ScratchDatabase;
beforeEach(async () => {
  database = await createEmptyDatabase(inject('databaseUrl'));
});
afterEach(async () => database.drop());

const NAME = 'Migration20261128720001_note_plans_that_are_held_for_ever';
/** When subscriptions of a plan end, and whether that is never. */
const ENDS: readonly (readonly [readonly (string | null)[], number])[] = [
  [[], 0],
  [['2027-01-01', '9999-12-30'], 0],
  [['2027-01-01', null, null], 1],
  [['9999-12-31 23:59:59.999'], 1],
];

it('plans with an endless subscription are marked, and `down` removes the mark', async () => {
  const orm = await connectOrm({ ...database, poolSize: 2, entities: [], migrations });
  const em = systemEm(orm);
  try {
    const before = migrations[migrations.findIndex(({ name }) => name === NAME) - 1]?.name;
    await orm.migrator.up({ to: before ?? '' });
    let id = 100;
    for (const [planId, [ends]] of ENDS.entries()) {
      await em.execute(
        `insert into plan (tenant_id, id, name, unit_price, unit_time, traffic_bytes, device_limit, quota_per_user,
            inventory, node_ids, node_tags, sell, \`show\`, reset_cycle, version, created_at)
          values ('T', ?, 'Plan', 1, 'MONTH', 0, 0, 0, -1, '[]', '[]', 1, 1, 'NONE', 1, now(3))`,
        [planId + 1],
      );
      for (const end of ends) {
        id += 1;
        await em.execute(
          `insert into subscription (tenant_id, id, user_id, plan_id, order_id, status, token, uuid, started_at,
              expires_at, traffic_bytes, traffic_used_bytes, updated_at)
            values ('T', ?, 1, ?, 1, 'ACTIVE', ?, 'u', now(3), ?, 0, 0, now(3))`,
          [id, planId + 1, `token-${id}`, end],
        );
      }
    }
    const notes = async () => {
      const rows: { note: number }[] = await em.execute('select held_for_ever as note from plan order by id');
      return rows.map(({ note }) => note);
    };
    await orm.migrator.up({ to: NAME });
    expect(await notes()).toEqual(ENDS.map(([, note]) => note));
    await orm.migrator.down({ to: before ?? 0 });
    await expect(notes()).rejects.toThrow('held_for_ever');
    await orm.migrator.up();
    expect(await notes()).toEqual(ENDS.map(([, note]) => note));
  } finally {
    await orm.close(true);
  }
});

it('tenants and campaigns from before keep days of UTC, and `down` forgets zones', async () => {
  const name = 'Migration20261130092001_keep_the_time_zone_of_tenants';
  const orm = await connectOrm({ ...database, poolSize: 2, entities: [], migrations });
  const em = systemEm(orm);
  try {
    const before = migrations[migrations.findIndex((each) => each.name === name) - 1]?.name;
    await orm.migrator.up({ to: before ?? '' });
    await em.execute(
      `insert into tenant (id, name, type, status, code_quota, codes_issued, version, created_at)
        values ('T', 'T', 'CHANNEL', 'ACTIVE', 0, 0, 1, now(3))`,
    );
    await em.execute(
      `insert into campaign (tenant_id, id, name, tenant_name, tenant_type, status, rule, code_visibility,
          user_limit_total, user_limit_day, budget_uses, budget_value, version, created_at)
        values ('T', 1, 'C', 'T', 'CHANNEL', 'DRAFT', '{}', 'VISIBLE', 0, 1, 0, 0, 1, now(3))`,
    );
    const zones = async () =>
      em.execute(
        'select t.time_zone as own, c.time_zone as kept from tenant t join campaign c on c.tenant_id = t.id',
      );
    await orm.migrator.up({ to: name });
    expect(await zones()).toEqual([{ own: 'UTC', kept: 'UTC' }]);
    await orm.migrator.down({ to: before ?? 0 });
    await expect(zones()).rejects.toThrow('time_zone');
    await orm.migrator.up();
    expect(await zones()).toEqual([{ own: 'UTC', kept: 'UTC' }]);
  } finally {
    await orm.close(true);
  }
});

it('subscriptions keep their tokens, which are unique in a tenant from now on, and `down` has them unique over all', async () => {
  const name = 'Migration20261130115001_keep_subscription_tokens_unique_in_their_tenant';
  const orm = await connectOrm({ ...database, poolSize: 2, entities: [], migrations });
  const em = systemEm(orm);
  const insert = async (tenantId: string, id: number, token: string): Promise<unknown> =>
    em.execute(
      `insert into subscription (tenant_id, id, user_id, plan_id, order_id, status, token, uuid, started_at,
          traffic_bytes, traffic_used_bytes, updated_at)
        values (?, ?, 1, 1, 1, 'ACTIVE', ?, 'u', now(3), 0, 0, now(3))`,
      [tenantId, id, token],
    );
  const tokens = async () => em.execute('select token from subscription order by id');
  try {
    const before = migrations[migrations.findIndex((each) => each.name === name) - 1]?.name;
    await orm.migrator.up({ to: before ?? '' });
    await insert('T', 1, 'one');
    await orm.migrator.up({ to: name });
    await expect(insert('T', 2, 'one')).rejects.toThrow('uq_subscription__tenant_token');
    await insert('U', 2, 'two');
    await orm.migrator.down({ to: before ?? 0 });
    await expect(insert('U', 3, 'one')).rejects.toThrow('uq_subscription__token');
    await orm.migrator.up();
    await insert('U', 3, 'one');
    expect(await tokens()).toEqual([{ token: 'one' }, { token: 'two' }, { token: 'one' }]);
  } finally {
    await orm.close(true);
  }
});

it('users keep their tags, of which no instant is known, and `down` forgets instants', async () => {
  const name = 'Migration20261201010001_note_as_of_when_tags_hold';
  const orm = await connectOrm({ ...database, poolSize: 2, entities: [], migrations });
  const em = systemEm(orm);
  const users = async () => em.execute<object[]>('select * from user order by id');
  const insert = async (id: number): Promise<unknown> =>
    em.execute(
      `insert into user (tenant_id, id, external_id, status, tags, created_at)
        values ('T', ?, ?, 'ACTIVE', '["vip"]', '2026-01-01')`,
      [id, `u-${id}`],
    );
  try {
    const before = migrations[migrations.findIndex((each) => each.name === name) - 1]?.name;
    await orm.migrator.up({ to: before ?? '' });
    await insert(1);
    const old = await users();
    await orm.migrator.up({ to: name });
    expect(await users()).toEqual(old.map((user) => ({ ...user, tags_at: null })));
    // As processes of the version before do.
    await insert(2);
    await em.execute("update user set tags_at = '2026-01-02' where id = 1");
    await orm.migrator.down({ to: before ?? 0 });
    expect(await users()).toMatchObject([{ id: 1 }, { id: 2 }]);
    await orm.migrator.up();
    expect(await users()).toMatchObject([
      { id: 1, tags_at: null },
      { id: 2, tags_at: null },
    ]);
  } finally {
    await orm.close(true);
  }
});
