import { Migration } from '@mikro-orm/migrations';
import { executeOf } from './row-steps.js';
import { changeTable } from './table-change.js';

/** Lets staff see which processes run. Rows of older programs have none of it. */
export class Migration20261130010101_note_what_processes_do extends Migration {
  override async up(): Promise<void> {
    await changeTable(executeOf(this), 'process_node', {
      addColumns: {
        role: 'varchar(8) null',
        version: 'varchar(40) null',
        started_at: 'datetime(3) null',
        seen_at: 'datetime(3) null',
      },
    });
  }

  override async down(): Promise<void> {
    await changeTable(executeOf(this), 'process_node', {
      dropColumns: ['role', 'version', 'started_at', 'seen_at'],
    });
  }
}
