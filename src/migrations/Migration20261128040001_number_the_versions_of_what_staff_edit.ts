import { Migration } from '@mikro-orm/migrations';
import { executeOf } from './row-steps.js';
import { changeTable } from './table-change.js';

const TABLES = ['tenant', 'product_line', 'plan', 'user'];

/** Of two members of staff who edit the same row, the version that each has read decides. */
export class Migration20261128040001_number_the_versions_of_what_staff_edit extends Migration {
  override async up(): Promise<void> {
    for (const table of TABLES) {
      await changeTable(executeOf(this), table, {
        addColumns: { version: 'int unsigned not null default 1' },
      });
    }
    await changeTable(executeOf(this), 'campaign', { addColumns: { deleted_at: 'datetime(3) null' } });
  }

  override async down(): Promise<void> {
    await changeTable(executeOf(this), 'campaign', { dropColumns: ['deleted_at'] });
    for (const table of TABLES) await changeTable(executeOf(this), table, { dropColumns: ['version'] });
  }
}
