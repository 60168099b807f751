import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { migrations } from '../../src/migrations/index.js';
import { migrateDown, migrateUp } from '../../src/migrations/migrate.js';
import { withMigrationLock } from '../../src/migrations/migration-lock.js';
import { connectOrm, systemEm } from '../../src/platform/database/orm.js';
import {
  createEmptyDatabase,
  createScratchDatabase,
  type ScratchDatabase,
} from '../support/scratch-database.js';

let database: ScratchDatabase;
beforeEach(async () => {
  database = await createEmptyDatabase(inject('databaseUrl'));
});
afterEach(async () => database.drop());

const names = migrations.map(({ name }) => name);
const RUNS = 5;

async function recorded(databaseUrl: string): Promise<number> {
  const orm = await connectOrm({ databaseUrl, poolSize: 2, entities: [] });
  const [row] = await systemEm(orm).execute<[{ count: number }]>(
    'select count(*) as count from schema_migration',
  );
  await orm.close();
  return row.count;
}

describe('migrations that are run several times at once', () => {
  it('are made once: one run makes them, the others wait and find them made', async () => {
    const runs = Array.from({ length: RUNS }, async () => migrateUp(database.databaseUrl));
    const made = await Promise.all(runs);
    expect(made.flat()).toEqual(names);
    expect(await recorded(database.databaseUrl)).toBe(names.length);
  });

  it('are taken back one by one, each once', async () => {
    const { databaseUrl, drop } = await createScratchDatabase();
    const runs = Array.from({ length: RUNS }, async () => migrateDown(databaseUrl));
    const taken = await Promise.all(runs);
    expect(taken.flat().toSorted()).toEqual(names.slice(-RUNS).toSorted());
    expect(await recorded(databaseUrl)).toBe(names.length - RUNS);
    await drop();
  });

  it('continue when the run that held the lock has died', async () => {
    const orm = await connectOrm({ databaseUrl: database.databaseUrl, poolSize: 2, entities: [] });
    const [isTaken, mayEnd] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const holding = withMigrationLock(orm, async () => {
      isTaken.resolve();
      await mayEnd.promise;
    });
    await isTaken.promise;
    const waiting = migrateUp(database.databaseUrl);
    const first = await Promise.race([
      waiting,
      new Promise((resolve) => {
        setTimeout(resolve, 500, 'waits');
      }),
    ]);
    expect(first).toBe('waits');
    await systemEm(orm)
      .execute("kill (select is_used_lock(concat('migrate:', left(sha2(database(), 256), 32))))")
      .catch(() => undefined);
    expect(await waiting).toEqual(names);
    mayEnd.resolve();
    await holding;
    await orm.close(true);
  });
});
