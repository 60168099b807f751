import { Migration } from '@mikro-orm/migrations';

/**
 * Replaces the keys by their digests, as `keyDigest` makes them, so that old rows go on answering their keys.
 * No older version may run beside it: that one would look for the keys themselves.
 */
export class Migration20261128070001_digest_idempotency_keys_of_redemptions extends Migration {
  override up(): void {
    this.addSql(`update redemption
      set idempotency_key = concat('sha256:', replace(replace(trim(trailing '=' from to_base64(unhex(
        sha2(concat(tenant_id, '|', user_id, '|', idempotency_key), 256)))), '+', '-'), '/', '_'))
      where idempotency_key is not null and idempotency_key not regexp '^sha256:[A-Za-z0-9_-]{43}$'`);
  }

  /** A digest cannot be turned back into its key; made again, the migration leaves digests as they are. */
  override down(): void {
    this.addSql('select 1');
  }
}
