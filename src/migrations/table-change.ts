import type { Execute } from './row-steps.js';

export interface TableChange {
  /** Definitions by name. */
  readonly addColumns?: Readonly<Record<string, string>>;
  /** Set again where an earlier run has set them already. */
  readonly modifyColumns?: Readonly<Record<string, string>>;
  readonly addIndexes?: Readonly<Record<string, string>>;
  readonly addUniques?: Readonly<Record<string, string>>;
  readonly dropIndexes?: readonly string[];
  readonly dropColumns?: readonly string[];
}

/**
 * Changes a table in one statement, and leaves out what an earlier run has done: statements that change tables commit
 * by themselves, so a run that was ended between two of them has made the first for good.
 */
export async function changeTable(execute: Execute, table: string, change: TableChange): Promise<void> {
  const { addColumns = {}, modifyColumns = {}, addIndexes = {}, addUniques = {} } = change;
  const { dropIndexes = [], dropColumns = [] } = change;
  const columns = await namesOf(execute, table, 'columns');
  const indexes = await namesOf(execute, table, 'statistics');
  const clauses = [
    ...Object.entries(addColumns)
      .filter(([name]) => !columns.has(name))
      .map(([name, definition]) => `add column \`${name}\` ${definition}`),
    ...Object.entries(modifyColumns).map(([name, definition]) => `modify column \`${name}\` ${definition}`),
    ...Object.entries(addIndexes)
      .filter(([name]) => !indexes.has(name))
      .map(([name, definition]) => `add index \`${name}\` ${definition}`),
    ...Object.entries(addUniques)
      .filter(([name]) => !indexes.has(name))
      .map(([name, definition]) => `add unique index \`${name}\` ${definition}`),
    ...dropIndexes.filter((name) => indexes.has(name)).map((name) => `drop index \`${name}\``),
    ...dropColumns.filter((name) => columns.has(name)).map((name) => `drop column \`${name}\``),
  ];
  if (clauses.length > 0) await execute(`alter table \`${table}\` ${clauses.join(', ')}`, []);
}

/** Names of the columns or the indexes that a table has; none where there is no such table. */
export async function namesOf(
  execute: Execute,
  table: string,
  kind: 'columns' | 'statistics',
): Promise<ReadonlySet<string>> {
  const column = kind === 'columns' ? 'column_name' : 'index_name';
  const rows = (await execute(
    `select distinct ${column} as name from information_schema.${kind}
      where table_schema = database() and table_name = ?`,
    [table],
  )) as { name: string }[];
  return new Set(rows.map(({ name }) => name));
}
