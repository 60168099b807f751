import { randomBytes } from 'node:crypto';
import { migrateUp } from '../../src/migrations/migrate.js';
import { connectOrm, systemEm } from '../../src/platform/database/orm.js';

export interface ScratchDatabase {
  readonly databaseUrl: string;
  drop(): Promise<void>;
}

/** A private migrated database, for work across all tenants that would disturb other tests. */
export async function createScratchDatabase(sharedUrl: string): Promise<ScratchDatabase> {
  const database = await createEmptyDatabase(sharedUrl);
  await migrateUp(database.databaseUrl);
  return database;
}

/** The same without a schema. */
export async function createEmptyDatabase(sharedUrl: string): Promise<ScratchDatabase> {
  const name = `redeemkit_scratch_${randomBytes(4).toString('hex')}`;
  await execute(sharedUrl, `create database ${name}`);
  const url = new URL(sharedUrl);
  url.pathname = `/${name}`;
  return { databaseUrl: url.href, drop: async () => execute(sharedUrl, `drop database ${name}`) };
}

async function execute(databaseUrl: string, sql: string): Promise<void> {
  const url = new URL(databaseUrl);
  // An address may name the server alone; every server has this one.
  if (url.pathname.length < 2) url.pathname = '/mysql';
  const orm = await connectOrm({ databaseUrl: url.href, poolSize: 2, entities: [] });
  try {
    await systemEm(orm).execute(sql);
  } finally {
    await orm.close(true);
  }
}
