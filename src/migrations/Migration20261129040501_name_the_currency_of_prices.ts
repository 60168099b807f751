import { Migration } from '@mikro-orm/migrations';
import { executeOf } from './row-steps.js';
import { changeTable } from './table-change.js';

/** Plans say what currency their prices are in. At the end of the table and NULL, so that no row is rewritten. */
export class Migration20261129040501_name_the_currency_of_prices extends Migration {
  override async up(): Promise<void> {
    await changeTable(executeOf(this), 'plan', { addColumns: { currency: 'varchar(8) null' } });
  }

  override async down(): Promise<void> {
    await changeTable(executeOf(this), 'plan', { dropColumns: ['currency'] });
  }
}
