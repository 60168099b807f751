import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { migrations } from '../../src/migrations/index.js';
import { connectOrm, systemEm } from '../../src/platform/database/orm.js';
import { createEmptyDatabase, type ScratchDatabase } from '../support/scratch-database.js';

let database: ScratchDatabase;
beforeAll(async () => {
  database = await createEmptyDatabase(inject('databaseUrl'));
});
afterAll(async () => database.drop());

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
