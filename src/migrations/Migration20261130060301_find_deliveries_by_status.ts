import { Migration } from '@mikro-orm/migrations';
import { executeOf } from './row-steps.js';
import { changeTable } from './table-change.js';

/** Staff look for the few deliveries that failed among millions of others. */
export class Migration20261130060301_find_deliveries_by_status extends Migration {
  override async up(): Promise<void> {
    await changeTable(executeOf(this), 'webhook_delivery', {
      addIndexes: {
        ix_webhook_delivery__status: '(tenant_id, status, id)',
        ix_webhook_delivery__webhook_status: '(tenant_id, webhook_id, status, id)',
      },
    });
  }

  override async down(): Promise<void> {
    await changeTable(executeOf(this), 'webhook_delivery', {
      dropIndexes: ['ix_webhook_delivery__webhook_status', 'ix_webhook_delivery__status'],
    });
  }
}
