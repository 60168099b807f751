import type { MikroORM } from '@mikro-orm/core';
import { migrations } from './index.js';
import { connectOrm } from '../platform/orm/orm.js';

/** Brings the database at the address to the newest schema, and names the migrations that this took; often none. */
export async function migrateUp(databaseUrl: string): Promise<readonly string[]> {
  return withMigrations(databaseUrl, async (orm) => orm.migrator.up());
}

/** Takes back the newest migration, and names it; nothing where there is none. */
export async function migrateDown(databaseUrl: string): Promise<readonly string[]> {
  return withMigrations(databaseUrl, async (orm) => orm.migrator.down());
}

async function withMigrations(
  databaseUrl: string,
  work: (orm: MikroORM) => Promise<readonly { readonly name: string }[]>,
): Promise<readonly string[]> {
  const orm = await connectOrm({ databaseUrl, poolSize: 4, entities: [], migrations });
  try {
    const moved = await work(orm);
    return moved.map(({ name }) => name);
  } finally {
    await orm.close();
  }
}
