import { Migration } from '@mikro-orm/migrations';
import { executeOf } from './row-steps.js';
import { changeTable } from './table-change.js';

/** Staff look for attempts that were refused for a rare reason. */
export class Migration20261129030103_find_refused_attempts_by_refusal extends Migration {
  override async up(): Promise<void> {
    await changeTable(executeOf(this), 'refused_attempt', {
      addIndexes: { ix_refused_attempt__refusal: '(tenant_id, refusal, id)' },
    });
  }

  override async down(): Promise<void> {
    await changeTable(executeOf(this), 'refused_attempt', { dropIndexes: ['ix_refused_attempt__refusal'] });
  }
}
