import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';
import { connectOrm, systemEm, type Em } from '../../src/platform/database/orm.js';

export interface ScratchDatabase {
  readonly databaseUrl: string;
  drop(): Promise<void>;
}

/**
 * A private migrated database, for work across all tenants that would disturb other tests. Its tables are made as the
 * migrations have left those of the shared one, because to run them again takes five times as long.
 */
export async function createScratchDatabase(): Promise<ScratchDatabase> {
  const database = await createEmptyDatabase(inject('databaseUrl'));
  const { tables, migrations } = inject('schema');
  await connected(database.databaseUrl, async (em) => {
    await Promise.all(tables.map(async (table) => em.execute(table)));
    const rows = migrations.map(() => '(?, now())').join(', ');
    await em.execute(`insert into schema_migration (name, executed_at) values ${rows}`, [...migrations]);
  });
  return database;
}

/** Deletes its rows, in a tenth of the time that a new one takes. Rows that a trigger keeps are an error. */
export async function emptyScratchDatabase({
  databaseUrl,
}: Pick<ScratchDatabase, 'databaseUrl'>): Promise<void> {
  const names = inject('schema').tables.map((table) => /`(\w+)`/.exec(table)?.[1] ?? '');
  const filled = names.filter((name) => name !== 'schema_migration');
  await connected(databaseUrl, async (em) => {
    for (const name of filled) await em.execute(`delete from \`${name}\``);
  });
}

/** A private database without a schema. */
export async function createEmptyDatabase(sharedUrl: string): Promise<ScratchDatabase> {
  const name = `redeemkit_scratch_${randomBytes(4).toString('hex')}`;
  await execute(sharedUrl, `create database ${name}`);
  const url = new URL(sharedUrl);
  url.pathname = `/${name}`;
  return { databaseUrl: url.href, drop: async () => execute(sharedUrl, `drop database ${name}`) };
}

/** What migrations have made of a database. */
export interface MigratedSchema {
  /** Statements that make the tables. */
  readonly tables: readonly string[];
  /** Names of the migrations, in their order. */
  readonly migrations: readonly string[];
}

export async function schemaOf(databaseUrl: string): Promise<MigratedSchema> {
  return connected(databaseUrl, async (em) => {
    const names = await em.execute<{ name: string }[]>(
      'select table_name as name from information_schema.tables where table_schema = database()',
    );
    const tables = await Promise.all(
      names.map(async ({ name }) => {
        const [row] = await em.execute<{ 'Create Table': string }[]>(`show create table \`${name}\``);
        return row?.['Create Table'] ?? '';
      }),
    );
    const rows = await em.execute<{ name: string }[]>('select name from schema_migration order by id');
    return { tables, migrations: rows.map(({ name }) => name) };
  });
}

async function execute(databaseUrl: string, sql: string): Promise<void> {
  const url = new URL(databaseUrl);
  // An address may name the server alone; every server has this one.
  if (url.pathname.length < 2) url.pathname = '/mysql';
  await connected(url.href, async (em) => em.execute(sql));
}

async function connected<T>(databaseUrl: string, work: (em: Em) => Promise<T>): Promise<T> {
  const orm = await connectOrm({ databaseUrl, poolSize: 4, entities: [] });
  try {
    return await work(systemEm(orm));
  } finally {
    await orm.close(true);
  }
}
