import { Migration } from '@mikro-orm/migrations';
import { executeOf } from './row-steps.js';
import { changeTable } from './table-change.js';

/** A reconciliation that staff have asked for shows how far it is. */
export class Migration20261130060401_show_the_progress_of_reconciliations extends Migration {
  override async up(): Promise<void> {
    await changeTable(executeOf(this), 'reconciliation_run', {
      addColumns: { progress: 'tinyint unsigned not null default 0' },
    });
  }

  override async down(): Promise<void> {
    await changeTable(executeOf(this), 'reconciliation_run', { dropColumns: ['progress'] });
  }
}
