import { rowSteps, type Execute, type SteppedTable } from './row-steps.js';

/**
 * Replaces the idempotency keys of a table by their digests, as `keyDigest` makes them, so that old rows go on
 * answering their keys. An interrupted run can be repeated, because digests are left unchanged.
 * @param scope of the keys, as SQL
 */
export async function digestKeys(execute: Execute, table: SteppedTable, scope: string): Promise<void> {
  for await (const { tenantId, after, until } of rowSteps(execute, table)) {
    await execute(
      `update ${table}
        set idempotency_key = concat('sha256:', replace(replace(trim(trailing '=' from to_base64(unhex(
          sha2(concat(tenant_id, '|', ${scope}, '|', idempotency_key), 256)))), '+', '-'), '/', '_'))
        where tenant_id = ? and id > ? and id <= ?
          and idempotency_key is not null and idempotency_key not regexp '^sha256:[A-Za-z0-9_-]{43}$'`,
      [tenantId, after, until],
    );
  }
}
