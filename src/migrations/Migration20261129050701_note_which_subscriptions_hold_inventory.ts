import { Migration } from '@mikro-orm/migrations';
import { executeOf } from './row-steps.js';
import { changeTable } from './table-change.js';

/**
 * Subscriptions note whether they took one of their plan's inventory. Those of former versions, which did not note it,
 * count as holding one: it comes back if their plan is limited then, as before. At the end of the table, so that no row
 * is rewritten.
 */
export class Migration20261129050701_note_which_subscriptions_hold_inventory extends Migration {
  override async up(): Promise<void> {
    await changeTable(executeOf(this), 'subscription', {
      addColumns: { holds_inventory: 'tinyint(1) not null default 1' },
    });
  }

  override async down(): Promise<void> {
    await changeTable(executeOf(this), 'subscription', { dropColumns: ['holds_inventory'] });
  }
}
