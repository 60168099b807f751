import { Migration } from '@mikro-orm/migrations';
import { executeOf } from './row-steps.js';
import { changeTable } from './table-change.js';

/** Batches that wait for their sale, or run longer than their codes say. */
export class Migration20261129011402_activate_and_extend_batches extends Migration {
  override async up(): Promise<void> {
    await changeTable(executeOf(this), 'code_batch', {
      addColumns: {
        awaits_activation: 'tinyint(1) not null default 0 after voided_at',
        activated_at: 'datetime(3) null after awaits_activation',
        extended_to: 'datetime(3) null after activated_at',
      },
    });
  }

  override async down(): Promise<void> {
    await changeTable(executeOf(this), 'code_batch', {
      dropColumns: ['extended_to', 'activated_at', 'awaits_activation'],
    });
  }
}
