import type { QueryResult } from '@mikro-orm/core';
import type { Id } from '../ids.js';
import type { Em } from './orm.js';

/** Rows of a table by their primary keys, or by how these begin. Names are the program's own, never input. */
export interface RowKeys {
  readonly table: string;
  /** What the keys have in common, by column. */
  readonly prefix: Readonly<Record<string, string>>;
  /** The next column of the key. */
  readonly column: string;
  readonly ids: readonly Id[];
}

/**
 * Each row is met by its key. An `in` may be run as a scan of all rows with the prefix, and a DELETE that scans
 * waits for each row that another transaction holds, also where it would leave that row alone.
 * @returns how many rows there were
 */
export async function deleteRows(em: Em, { table, prefix, column, ids }: RowKeys): Promise<number> {
  if (ids.length === 0) return 0;
  const { affectedRows } = await em.execute<QueryResult>(
    `delete r from json_table(?, '$[*]' columns (id bigint unsigned path '$')) wanted
      straight_join ${table} r force index (primary) on ${equal(prefix)} and r.${column} = wanted.id`,
    [JSON.stringify(ids), ...Object.values(prefix)],
    'run',
  );
  return affectedRows;
}

/** Changes rows, which an UPDATE by `in` may scan for as well. @param set what changes; the program's own, too */
export async function updateRows(
  em: Em,
  { table, prefix, column, ids }: RowKeys,
  set: string,
  values: readonly unknown[] = [],
): Promise<void> {
  if (ids.length === 0) return;
  await em.execute(
    `update ${table} r force index (primary) set ${set} where ${equal(prefix)} and r.${column} in (?)`,
    [...values, ...Object.values(prefix), ids],
  );
}

/** Locks those of these rows that no other transaction holds. @returns their ids */
export async function lockUnheld(em: Em, { table, prefix, column, ids }: RowKeys): Promise<Id[]> {
  if (ids.length === 0) return [];
  const rows = await em.execute<{ id: Id }[]>(
    `select cast(r.${column} as char) as id from ${table} r force index (primary)
      where ${equal(prefix)} and r.${column} in (?) for update skip locked`,
    [...Object.values(prefix), ids],
  );
  return rows.map(({ id }) => id);
}

function equal(prefix: RowKeys['prefix']): string {
  return Object.keys(prefix)
    .map((name) => `r.${name} = ?`)
    .join(' and ');
}
