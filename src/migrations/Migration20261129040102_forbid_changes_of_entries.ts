import { Migration } from '@mikro-orm/migrations';
import { forbidChanges, permitChanges } from './frozen-rows.js';
import { executeOf } from './row-steps.js';

const TABLES = ['money_entry', 'system_entry'] as const;

/** Entries are never changed and never deleted, by this program or by any other. */
export class Migration20261129040102_forbid_changes_of_entries extends Migration {
  override async up(): Promise<void> {
    for (const table of TABLES) await forbidChanges(executeOf(this), table);
  }

  override async down(): Promise<void> {
    for (const table of TABLES) await permitChanges(executeOf(this), table);
  }
}
