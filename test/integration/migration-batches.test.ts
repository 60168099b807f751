import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import { migrations } from '../../src/migrations/index.js';
import { connectOrm, systemEm } from '../../src/platform/database/orm.js';
import { createEmptyDatabase, type ScratchDatabase } from '../support/scratch-database.js';

let database: ScratchDatabase;
beforeEach(async () => {
  database = await createEmptyDatabase(inject('databaseUrl'));
});
afterEach(async () => database.drop());

const NAME = 'Migration20261129011101_generate_batches_by_jobs';
/** Status of a batch, codes asked for, stored, and deleted of those. */
const BATCHES = [
  ['READY', 3, 3, 1],
  ['PENDING', 100, 0, 0],
  ['GENERATING', 50, 2, 1],
  ['CANCELLED', 20, 2, 0],
  ['FAILED', 20, 0, 0],
] as const;

it('`down` voids the batches that are not ready, and gives the quota of those under way back once', async () => {
  const orm = await connectOrm({ ...database, poolSize: 2, entities: [], migrations });
  const em = systemEm(orm);
  const state = async () => {
    const batches = await em.execute<{ status: string; isVoid: number }[]>(
      'select status, voided_at is not null as isVoid from code_batch order by id',
    );
    const [tenant] = await em.execute<[{ issued: number }]>('select codes_issued as issued from tenant');
    return { batches: batches.map(({ status, isVoid }) => [status, isVoid]), issued: tenant.issued };
  };
  try {
    const before = migrations[migrations.findIndex(({ name }) => name === NAME) - 1]?.name;
    await orm.migrator.up({ to: NAME });
    // Of the first batch two codes hold quota; then the batches under way.
    await em.execute(
      `insert into tenant (id, name, type, status, code_quota, codes_issued, version, created_at)
        values ('T', 'T', 'CHANNEL', 'ACTIVE', 0, 2 + 100 + 49, 1, now(3))`,
    );
    for (const [index, [status, requested, stored, deleted]] of BATCHES.entries()) {
      const id = index + 1;
      await em.execute(
        `insert into code_batch (tenant_id, id, campaign_id, status, requested, \`generated\`, version, created_at)
          values ('T', ?, 1, ?, ?, ?, 1, now(3))`,
        [id, status, requested, stored],
      );
      for (let no = 0; no < stored; no += 1)
        await em.execute(
          `insert into code (tenant_id, id, code_digest, digest_key_id, last_four, campaign_id, batch_id, status,
              use_limit, issued_at, deleted_at)
            values ('T', ?, ?, 1, 'ABCD', 1, ?, 'ACTIVE', 1, now(3), if(?, now(3), null))`,
          [id * 10 + no, `d${id}-${no}`, id, no < deleted ? 1 : 0],
        );
    }
    await orm.migrator.down({ to: before ?? 0 });
    const after = [
      ['READY', 0],
      ['CANCELLED', 1],
      ['CANCELLED', 1],
      ['CANCELLED', 1],
      ['FAILED', 1],
    ];
    expect(await state()).toEqual({ batches: after, issued: 2 });
    await expect(em.execute('select recipe from code_batch')).rejects.toThrow('recipe');
    await orm.migrator.up();
    expect(await state()).toEqual({ batches: after, issued: 2 });
    await orm.migrator.down({ to: before ?? 0 });
    expect(await state()).toEqual({ batches: after, issued: 2 });
  } finally {
    await orm.close(true);
  }
});
