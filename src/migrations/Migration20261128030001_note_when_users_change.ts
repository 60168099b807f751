import { Migration } from '@mikro-orm/migrations';
import { executeOf } from './row-steps.js';
import { changeTable } from './table-change.js';

/** The server notes each change by itself, also one that an operator makes by hand. New users have no note. */
export class Migration20261128030001_note_when_users_change extends Migration {
  override async up(): Promise<void> {
    await changeTable(executeOf(this), 'user', {
      addColumns: { changed_at: 'timestamp(3) null default null on update current_timestamp(3)' },
      addIndexes: { ix_user__tenant_changed: '(tenant_id, changed_at)' },
    });
  }

  override async down(): Promise<void> {
    await changeTable(executeOf(this), 'user', {
      dropIndexes: ['ix_user__tenant_changed'],
      dropColumns: ['changed_at'],
    });
  }
}
