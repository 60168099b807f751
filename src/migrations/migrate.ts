import type { MikroORM } from '@mikro-orm/core';
import { migrations } from './index.js';
import { withMigrationLock } from './migration-lock.js';
import { refuseNewer } from './schema-state.js';
import { connectOrm } from '../platform/database/orm.js';

/** Brings the database at the address to the newest schema, and names the migrations that this took; often none. */
export async function migrateUp(databaseUrl: string): Promise<readonly string[]> {
  return withMigrations(databaseUrl, async (orm) => orm.migrator.up());
}

/** Takes back the newest migration, and names it; nothing where there is none. */
export async function migrateDown(databaseUrl: string): Promise<readonly string[]> {
  return withMigrations(databaseUrl, async (orm) => orm.migrator.down());
}

/**
 * One run at a time in a database: a second run waits, and finds the migrations applied. Statements that
 * change tables commit by themselves, so two runs side by side would break each other in the middle.
 */
async function withMigrations(
  databaseUrl: string,
  work: (orm: MikroORM) => Promise<readonly { readonly name: string }[]>,
): Promise<readonly string[]> {
  const orm = await connectOrm({ databaseUrl, poolSize: 4, entities: [], migrations });
  try {
    await orm.schema.ensureDatabase();
    const moved = await withMigrationLock(orm, async () => {
      refuseNewer((await orm.migrator.getExecuted()).map(({ name }) => name));
      return work(orm);
    });
    return moved.map(({ name }) => name);
  } finally {
    await orm.close();
  }
}
