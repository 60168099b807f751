import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import { migrations } from '../../src/migrations/index.js';
import { connectOrm, systemEm } from '../../src/platform/database/orm.js';
import { createEmptyDatabase, type ScratchDatabase } from '../support/scratch-database.js';

let database: ScratchDatabase;
beforeEach(async () => {
  database = await createEmptyDatabase(inject('databaseUrl'));
});
afterEach(async () => database.drop());

const NAME = 'Migration20261129030101_know_how_many_parts_a_file_has';

it('counts the parts of the files that wait, and of no others', async () => {
  const orm = await connectOrm({ ...database, poolSize: 2, entities: [], migrations });
  const em = systemEm(orm);
  try {
    const before = migrations[migrations.findIndex(({ name }) => name === NAME) - 1]?.name;
    await orm.migrator.up({ to: before ?? 0 });
    for (const [id, uploadId, finishedAt] of [
      [1, 7, null],
      [2, null, null],
      [3, 9, '2026-01-01'],
    ])
      await em.execute(
        `insert into code_import (tenant_id, id, campaign_id, lines_done, imported, refused, upload_id, progress_at,
            idempotency_key, arguments_digest, created_at, finished_at)
          values ('T', ?, 1, 0, 0, 0, ?, now(3), ?, 'd', now(3), ?)`,
        [id, uploadId, `k${id}`, finishedAt],
      );
    // The last one belongs to an upload that broke off.
    for (const [importId, uploadId, partNo] of [
      [1, 7, 0],
      [1, 7, 1],
      [1, 8, 0],
    ])
      await em.execute(
        `insert into code_import_part (tenant_id, import_id, upload_id, part_no, body) values ('T', ?, ?, ?, 'x')`,
        [importId, uploadId, partNo],
      );
    const partsNow = async () =>
      (await em.execute<{ parts: number | null }[]>('select parts from code_import order by id')).map(
        ({ parts }) => parts,
      );
    await orm.migrator.up({ to: NAME });
    expect(await partsNow()).toEqual([2, null, null]);
    await orm.migrator.down({ to: before ?? 0 });
    await expect(partsNow()).rejects.toThrow('parts');
    await orm.migrator.up({ to: NAME });
    expect(await partsNow()).toEqual([2, null, null]);
  } finally {
    await orm.close(true);
  }
});
