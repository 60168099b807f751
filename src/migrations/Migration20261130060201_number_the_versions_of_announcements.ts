import { Migration } from '@mikro-orm/migrations';
import { executeOf } from './row-steps.js';
import { changeTable } from './table-change.js';

/** Staff change announcements, each change from the version that they have read. */
export class Migration20261130060201_number_the_versions_of_announcements extends Migration {
  override async up(): Promise<void> {
    await changeTable(executeOf(this), 'announcement', {
      addColumns: { version: 'int unsigned not null default 1' },
    });
  }

  override async down(): Promise<void> {
    await changeTable(executeOf(this), 'announcement', { dropColumns: ['version'] });
  }
}
