import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { migrations } from '../../src/migrations/index.js';
import { connectOrm, systemEm } from '../../src/platform/database/orm.js';
import { createEmptyDatabase, type ScratchDatabase } from '../support/scratch-database.js';

let database: ScratchDatabase;
beforeAll(async () => {
  database = await createEmptyDatabase(inject('databaseUrl'));
});
afterAll(async () => database?.drop());

const FIRST = 'Migration20261130010101_note_what_processes_do';
const LAST = 'Migration20261130010102_keep_reports_of_reconciliation';

it('processes keep their node numbers, and a tenant has one open reconciliation', async () => {
  const orm = await connectOrm({ ...database, poolSize: 2, entities: [], migrations });
  const em = systemEm(orm);
  const node = async () => em.execute('select * from process_node');
  const old = { node_no: 7, owner: 'o'.repeat(36), key_prints: null };
  try {
    const before = migrations[migrations.findIndex(({ name }) => name === FIRST) - 1]?.name ?? '';
    await orm.migrator.up({ to: before });
    await em.execute(
      "insert into process_node (node_no, owner, leased_until) values (7, ?, '2030-01-01 00:00:00.000')",
      [old.owner],
    );
    await orm.migrator.up({ to: LAST });
    expect(await node()).toMatchObject([
      { ...old, role: null, version: null, started_at: null, seen_at: null },
    ]);
    const run = async (id: number, openSlot: number | null) =>
      em.execute(
        "insert into reconciliation_run (tenant_id, id, status, repair, requested_at, open_slot) values ('T_1', ?, 'DONE', 0, '2026-01-01', ?)",
        [id, openSlot],
      );
    await run(1, null);
    await run(2, null);
    await run(3, 1);
    await expect(run(4, 1)).rejects.toMatchObject({ errno: 1062 });
    await orm.migrator.down({ to: before });
    expect(await node()).toMatchObject([old]);
    await orm.migrator.up({ to: LAST });
    expect(await em.execute('select id from reconciliation_run')).toEqual([]);
  } finally {
    await orm.close(true);
  }
});

it('tenants belong to no directory, and users are not erased, until they say so', async () => {
  const names = [
    'Migration20261130050101_follow_the_tenant_directory',
    'Migration20261130050201_erase_users',
  ] as const;
  const orm = await connectOrm({ ...database, poolSize: 2, entities: [], migrations });
  const em = systemEm(orm);
  const tenants = async () => em.execute<object[]>('select * from tenant');
  const users = async () => em.execute<object[]>('select * from user');
  try {
    const before = migrations[migrations.findIndex(({ name }) => name === names[0]) - 1]?.name ?? '';
    await orm.migrator.up({ to: before });
    await em.execute(
      "insert into tenant (id, name, type, status, code_quota, codes_issued, created_at) values ('T_1', 'T', 'CHANNEL', 'ACTIVE', 0, 0, '2026-01-01')",
    );
    await em.execute(
      "insert into user (tenant_id, id, external_id, status, tags, created_at) values ('T_1', 1, 'alice', 'ACTIVE', '[]', '2026-01-01')",
    );
    const [tenant] = await tenants();
    const [user] = await users();
    await orm.migrator.up({ to: names[1] });
    expect(await tenants()).toEqual([{ ...tenant, directory_version: 0, directory_checked_at: null }]);
    expect(await users()).toEqual([{ ...user, erased_at: null }]);
    await em.execute("insert into user_seal values ('T_1', 1, 'k')");
    await em.execute("insert into tenant_event values ('T_1', 'e', 1, '2026-01-01')");
    await expect(
      em.execute("insert into tenant_event values ('T_1', 'e', 2, '2026-01-01')"),
    ).rejects.toMatchObject({
      errno: 1062,
    });
    await orm.migrator.down({ to: before });
    expect([await tenants(), await users()]).toEqual([[tenant], [user]]);
  } finally {
    await orm.close(true);
  }
});

it('sessions, accounts, announcements, deliveries and reconciliations keep their rows when they get further columns', async () => {
  const orm = await connectOrm({ ...database, poolSize: 2, entities: [], migrations });
  const em = systemEm(orm);
  const FURTHER = 'Migration20261130060101_keep_recovery_codes_and_addresses_of_sessions';
  const NEWEST = 'Migration20261130060401_show_the_progress_of_reconciliations';
  const all = async () => [
    await em.execute('select * from session'),
    await em.execute('select * from staff'),
    await em.execute('select * from announcement'),
    await em.execute('select * from reconciliation_run where id = 9'),
    await em.execute('select id from webhook_delivery order by id'),
  ];
  try {
    const before = migrations[migrations.findIndex(({ name }) => name === FURTHER) - 1]?.name ?? '';
    await orm.migrator.up({ to: before });
    await em.execute(
      "insert into session (tenant_id, id, kind, subject_id, family_digest, refresh_digest, created_at, expires_at) values ('T_1', 1, 'STAFF', 2, 'f', 'r', '2026-01-01', '2026-01-02')",
    );
    await em.execute(
      "insert into staff (tenant_id, id, email, name, role, status, totp_step, version, created_at) values ('T_1', 2, 'a@b.example', 'A', 'OWNER', 'ACTIVE', 0, 1, '2026-01-01')",
    );
    await em.execute(
      "insert into announcement (tenant_id, id, title, description, created_at) values ('T_1', 3, 'News', 'D', '2026-01-01')",
    );
    await em.execute(
      "insert into reconciliation_run (tenant_id, id, status, repair, requested_at) values ('T_1', 9, 'DONE', 0, '2026-01-01')",
    );
    for (const id of [1, 2])
      await em.execute(
        "insert into webhook_delivery (tenant_id, id, webhook_id, seq, event_type, status, attempts, queued_at) values ('T_1', ?, 1, ?, 'order.paid', 'FAILED', 1, '2026-01-01')",
        [id, id],
      );
    const old = await all();
    await orm.migrator.up({ to: NEWEST });
    expect(await all()).toMatchObject([
      [{ id: 1, ip: null }],
      [{ id: 2, recovery_digests: null }],
      [{ id: 3, version: 1 }],
      [{ id: 9, progress: 0 }],
      [{ id: 1 }, { id: 2 }],
    ]);
    const found = await em.execute(
      "select id from webhook_delivery force index (ix_webhook_delivery__webhook_status) where tenant_id = 'T_1' and webhook_id = 1 and status = 'FAILED' order by id desc",
    );
    expect(found).toMatchObject([{ id: 2 }, { id: 1 }]);
    await em.execute("update staff set recovery_digests = '[]'");
    await orm.migrator.down({ to: before });
    expect(await all()).toEqual(old);
    await orm.migrator.up({ to: NEWEST });
    expect(await em.execute('select recovery_digests from staff')).toEqual([{ recovery_digests: null }]);
  } finally {
    await orm.close(true);
  }
});
