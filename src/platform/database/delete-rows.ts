import type { QueryResult } from '@mikro-orm/core';
import type { Id } from '../ids.js';
import type { Em } from './orm.js';

/** Rows of a table by their whole primary keys. Table and column names are the program's own, never input. */
export interface RowKeys {
  readonly table: string;
  /** What the keys have in common, by column. */
  readonly prefix: Readonly<Record<string, string>>;
  /** The last column of the key. */
  readonly column: string;
  readonly ids: readonly Id[];
}

/** @returns how many rows there were */
export async function deleteRows(em: Em, keys: RowKeys): Promise<number> {
  if (keys.ids.length === 0) return 0;
  const { sql, params } = metByKey(keys);
  const { affectedRows } = await em.execute<QueryResult>(`delete r from ${sql}`, params, 'run');
  return affectedRows;
}

/** Locks those of these rows that no other transaction holds. @returns their ids */
export async function lockUnheld(em: Em, keys: RowKeys): Promise<Id[]> {
  if (keys.ids.length === 0) return [];
  const { sql, params } = metByKey(keys);
  const rows = await em.execute<{ id: Id }[]>(
    `select cast(r.${keys.column} as char) as id from ${sql} for update skip locked`,
    params,
  );
  return rows.map(({ id }) => id);
}

/**
 * Each row is met by its whole key. An `in` may be run as a scan of all rows with the prefix, and a DELETE that scans
 * waits for each row that another transaction holds, also where it would leave that row alone.
 */
function metByKey({ table, prefix, column, ids }: RowKeys): {
  readonly sql: string;
  readonly params: unknown[];
} {
  const common = Object.keys(prefix).map((name) => `r.${name} = ? and `);
  return {
    sql: `json_table(?, '$[*]' columns (id bigint unsigned path '$')) wanted
      straight_join ${table} r on ${common.join('')}r.${column} = wanted.id`,
    params: [JSON.stringify(ids), ...Object.values(prefix)],
  };
}
