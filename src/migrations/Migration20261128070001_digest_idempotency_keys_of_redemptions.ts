import { Migration } from '@mikro-orm/migrations';
import { digestKeys } from './key-digests.js';
import { executeOf } from './row-steps.js';

/** No older version may run beside it: that one would look for the keys themselves. */
export class Migration20261128070001_digest_idempotency_keys_of_redemptions extends Migration {
  override async up(): Promise<void> {
    await digestKeys(executeOf(this), 'redemption', 'user_id');
  }

  /** A digest cannot be turned back into its key; made again, the migration leaves digests as they are. */
  override down(): void {
    this.addSql('select 1');
  }
}
