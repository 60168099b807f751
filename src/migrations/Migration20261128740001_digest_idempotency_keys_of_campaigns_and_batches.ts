import { Migration } from '@mikro-orm/migrations';
import { digestKeys } from './key-digests.js';
import { executeOf } from './row-steps.js';

/** No older version may run beside it: that one would make a campaign or a batch once more for the same key. */
export class Migration20261128740001_digest_idempotency_keys_of_campaigns_and_batches extends Migration {
  override async up(): Promise<void> {
    for (const table of ['campaign', 'code_batch'] as const)
      await digestKeys(executeOf(this), table, `'${table}'`);
  }

  /** A digest cannot be turned back into its key; made again, the migration leaves digests as they are. */
  override down(): void {
    this.addSql('select 1');
  }
}
