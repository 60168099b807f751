import { Migration } from '@mikro-orm/migrations';
import { executeOf } from './row-steps.js';
import { changeTable } from './table-change.js';

/** A token of a tenant's own issuer that is older than the tags of its user does not replace them. */
export class Migration20261201010001_note_as_of_when_tags_hold extends Migration {
  override async up(): Promise<void> {
    await changeTable(executeOf(this), 'user', { addColumns: { tags_at: 'datetime(3) null' } });
  }

  override async down(): Promise<void> {
    await changeTable(executeOf(this), 'user', { dropColumns: ['tags_at'] });
  }
}
