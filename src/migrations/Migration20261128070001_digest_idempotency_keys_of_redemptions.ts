import { Migration } from '@mikro-orm/migrations';
import { rowSteps } from './row-steps.js';

const DIGEST_KEYS = `update redemption
  set idempotency_key = concat('sha256:', replace(replace(trim(trailing '=' from to_base64(unhex(
    sha2(concat(tenant_id, '|', user_id, '|', idempotency_key), 256)))), '+', '-'), '/', '_'))
  where tenant_id = ? and id > ? and id <= ?
    and idempotency_key is not null and idempotency_key not regexp '^sha256:[A-Za-z0-9_-]{43}$'`;

/**
 * Replaces the keys by their digests, as `keyDigest` makes them, so that old rows go on answering their keys.
 * No older version may run beside it: that one would look for the keys themselves. A run that was ended goes on where
 * it was, because a digest is left as it is.
 */
export class Migration20261128070001_digest_idempotency_keys_of_redemptions extends Migration {
  override async up(): Promise<void> {
    const execute = async (sql: string, params: readonly unknown[]) => this.execute(sql, [...params]);
    for await (const { tenantId, after, until } of rowSteps(execute, 'redemption'))
      await execute(DIGEST_KEYS, [tenantId, after, until]);
  }

  /** A digest cannot be turned back into its key; made again, the migration leaves digests as they are. */
  override down(): void {
    this.addSql('select 1');
  }
}
