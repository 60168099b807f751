import { expect, inject, it, vi } from 'vitest';
import { migrations } from '../../src/migrations/index.js';
import { connectOrm, systemEm } from '../../src/platform/database/orm.js';
import { openBeforeAll } from '../support/open-before-all.js';
import { createEmptyDatabase } from '../support/scratch-database.js';

let orm: Awaited<ReturnType<typeof connectOrm>>;
openBeforeAll(async (closing) => {
  const database = await closing(createEmptyDatabase(inject('databaseUrl')));
  orm = await closing(connectOrm({ ...database, poolSize: 2, entities: [], migrations }));
});

interface SchemaRow {
  readonly tableName: string;
}

/** Columns and indexes of all tables, or of these, which is far less work. */
async function schemaNow(tables?: readonly string[]): Promise<readonly SchemaRow[]> {
  if (tables?.length === 0) return [];
  const which = tables === undefined ? "table_name <> 'schema_migration'" : 'table_name in (?)';
  return systemEm(orm).execute<SchemaRow[]>(
    `select table_name as tableName, column_name as name, column_type as what, generation_expression as part
        from information_schema.columns where table_schema = database() and ${which}
      union all
      select table_name, index_name, column_name, seq_in_index
        from information_schema.statistics where table_schema = database() and ${which}
      order by 1, 2, 3, 4`,
    tables === undefined ? [] : [tables, tables],
  );
}

/** The tables that statements name. */
function tablesIn(statements: readonly string[], rows: readonly SchemaRow[]): string[] {
  const words = new Set(statements.flatMap((sql) => sql.match(/\w+/g) ?? []));
  return [...new Set(rows.map(({ tableName }) => tableName))].filter((name) => words.has(name));
}

/** The statements that change tables or rows; each commits implicitly. */
async function writesOf(work: () => Promise<unknown>): Promise<string[]> {
  const writes: string[] = [];
  const logger = orm.config.getLogger();
  const spy = vi.spyOn(logger, 'logQuery').mockImplementation(({ query = '' }) => {
    if (/^\s*(alter|create|drop|update) /i.test(query) && !query.includes('schema_migration'))
      writes.push(query);
  });
  await work().finally(() => spy.mockRestore());
  return writes;
}

/** Statements of each migration, up and down. */
const writeCounts = new Map<string, readonly [number, number]>();

it.each(migrations)(
  '$name is made, and taken back, by a run after one that was ended anywhere',
  async ({ name }) => {
    const up = async () => orm.migrator.up({ to: name });
    const down = async () => orm.migrator.down();
    const first = await schemaNow();
    const ups = await writesOf(up);
    const made = await schemaNow();
    const downs = await writesOf(down);
    expect(await schemaNow()).toEqual(first);
    const own = tablesIn([...ups, ...downs], [...first, ...made]);
    const ofOwn = (rows: readonly SchemaRow[]) => rows.filter(({ tableName }) => own.includes(tableName));
    writeCounts.set(name.slice('Migration'.length).split('_')[0] ?? '', [ups.length, downs.length]);
    // Of the many tables of the first migration, the first and all; of the others each statement.
    const cuts = (all: number) => [
      ...new Set(all > 5 ? [1, all] : Array.from({ length: all }, (_, at) => at + 1)),
    ];
    for (const cut of cuts(ups.length)) {
      for (const sql of ups.slice(0, cut)) await systemEm(orm).execute(sql);
      await up();
      expect(await schemaNow(own)).toEqual(ofOwn(made));
      await down();
    }
    await up();
    for (const cut of cuts(downs.length)) {
      for (const sql of downs.slice(0, cut)) await systemEm(orm).execute(sql);
      await down();
      expect(await schemaNow(own)).toEqual(ofOwn(first));
      await up();
    }
    expect(await schemaNow()).toEqual(made);
  },
  60_000,
);

it('was ended after each of the statements that change tables', () => {
  expect(Object.fromEntries(writeCounts)).toMatchObject({
    '20261128030001': [1, 1],
    '20261128040001': [5, 5],
    '20261128060001': [2, 1],
    '20261128080001': [2, 2],
    '20261128720001': [2, 1],
    '20261128730001': [2, 2],
    '20261129011101': [2, 4],
    '20261129011401': [3, 3],
    '20261129011402': [1, 1],
    '20261129011403': [2, 2],
    '20261129030101': [2, 1],
    '20261129030102': [1, 1],
    '20261129030103': [1, 1],
    '20261129040301': [5, 5],
    '20261129040401': [4, 4],
    '20261129040501': [1, 1],
    '20261129050701': [1, 1],
  });
});
