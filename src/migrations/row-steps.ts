import type { Migration } from '@mikro-orm/migrations';

/** Runs a statement on the migration's connection; for a SELECT, answers the rows. */
export type Execute = (sql: string, params: readonly unknown[]) => Promise<unknown>;

/** At once, and not after all others as `addSql` does. */
export function executeOf(migration: Migration): Execute {
  return async (sql, params) => migration.execute(sql, [...params]);
}

/** Tables whose rows are rewritten in steps. */
export type SteppedTable = 'campaign' | 'code' | 'code_batch' | 'outbox_event' | 'redemption' | 'user';

export interface RowStep {
  readonly tenantId: string;
  /** Ids above this one, */
  readonly after: string;
  /** and up to this one. */
  readonly until: string;
}

const ROWS_AT_ONCE = 10_000;
const ID_MAX = '9223372036854775807';

/**
 * The rows of a table along its primary key (tenant_id, id), at most 10,000 in a step. Migrations run without a
 * transaction, so what one statement did in a step stays done: a statement that leaves finished rows out can be ended
 * at any time, and the next run goes on.
 */
export async function* rowSteps(execute: Execute, table: SteppedTable): AsyncGenerator<RowStep> {
  const rows = async (sql: string, params: readonly unknown[] = []) =>
    (await execute(sql, params)) as Record<string, string>[];
  for (const { tenantId = '' } of await rows(`select distinct tenant_id as tenantId from ${table}`)) {
    for (let after: string | undefined = '0'; after !== undefined;) {
      // The table is named: by itself, `id` would be the text that is selected, and order 10 before 9.
      const [last] = await rows(
        `select cast(id as char) as id from ${table} where tenant_id = ? and id > ?
          order by ${table}.id limit 1 offset ${ROWS_AT_ONCE - 1}`,
        [tenantId, after],
      );
      yield { tenantId, after, until: last?.['id'] ?? ID_MAX };
      after = last?.['id'];
    }
  }
}
