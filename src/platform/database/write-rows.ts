import { invariant } from '../assert.js';
import type { Id } from '../ids.js';
import type { RowKeys } from './delete-rows.js';
import { writeTogether } from './execute-together.js';
import type { RowValues } from './insert-rows.js';
import type { Em } from './orm.js';

/** Rows of one statement: for each row and column the server compares the row's key with all of them. */
const ROWS_MAX = 100;

/** What rows are to hold. Names are the program's own, never input. */
export interface NewRows extends Omit<RowKeys, 'ids'> {
  /** Each row's own values, with the columns of the first. */
  readonly rows: readonly (readonly [id: Id, values: RowValues])[];
  /** What is set in all of them, as SQL with its values. */
  readonly common?: readonly [set: string, ...values: unknown[]];
}

/**
 * Writes rows that the transaction has locked, together with what else is written now. An UPDATE of one table: it finds
 * its shard by the prefix, and changes only rows that exist, where an INSERT … ON DUPLICATE KEY UPDATE could make one.
 * @returns how many rows there were
 */
export async function writeRows(em: Em, { rows, ...its }: NewRows): Promise<number> {
  const count = Math.ceil(rows.length / ROWS_MAX);
  const parts = Array.from({ length: count }, (_, at) => rows.slice(at * ROWS_MAX, (at + 1) * ROWS_MAX));
  const statements = parts.map((part) => updateOf({ ...its, rows: part }));
  const written = await Promise.all(statements.map(async ([sql, params]) => writeTogether(em, sql, params)));
  return written.reduce((found, { affectedRows }) => found + affectedRows, 0);
}

function updateOf({ table, prefix, column, rows, common }: NewRows): [sql: string, params: unknown[]] {
  // Digits, because in a CASE MySQL compares a number with text as doubles, and ids close by are one double.
  const ids = rows.map(([id]) => BigInt(id).toString());
  const cases = ids.map((id) => `when ${id} then ?`).join(' ');
  const columns = Object.keys(rows[0]?.[1] ?? {});
  const values = columns.flatMap((name) =>
    rows.map(([, row]) => {
      const value = row[name];
      invariant(value !== undefined, `A row of ${table} lacks ${name}.`);
      return value;
    }),
  );
  const [set, ...more] = common ?? [];
  const equal = Object.keys(prefix).map((name) => `r.${name} = ?`);
  const sets = columns.map((name) => `r.${name} = case r.${column} ${cases} end`);
  if (set !== undefined) sets.push(set);
  return [
    `update ${table} r force index (primary) set ${sets.join(', ')}
      where ${equal.join(' and ')} and r.${column} in (${ids.join(', ')})`,
    [...values, ...more, ...Object.values(prefix)],
  ];
}
