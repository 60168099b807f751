import { Migration } from '@mikro-orm/migrations';
import { executeOf } from './row-steps.js';
import { changeTable } from './table-change.js';

/** Staff look for orders of a rare type or status, and for redemptions of a product line, among millions of others. */
export class Migration20261130040101_list_orders_by_state_and_redemptions_by_line extends Migration {
  override async up(): Promise<void> {
    const execute = executeOf(this);
    await changeTable(execute, 'order', {
      addIndexes: { ix_order__type_status: '(tenant_id, type, status, id)' },
    });
    await changeTable(execute, 'redemption', {
      addIndexes: { ix_redemption__product: '(tenant_id, product_code, status, id)' },
    });
  }

  override async down(): Promise<void> {
    const execute = executeOf(this);
    await changeTable(execute, 'redemption', { dropIndexes: ['ix_redemption__product'] });
    await changeTable(execute, 'order', { dropIndexes: ['ix_order__type_status'] });
  }
}
