import { Migration } from '@mikro-orm/migrations';
import { executeOf } from './row-steps.js';
import { changeTable } from './table-change.js';

/** The days of all limits were those of UTC, and stay so until a tenant is given another zone. */
export class Migration20261130092001_keep_the_time_zone_of_tenants extends Migration {
  override async up(): Promise<void> {
    const execute = executeOf(this);
    await changeTable(execute, 'tenant', {
      addColumns: { time_zone: `varchar(64) not null default 'UTC' after codes_issued` },
    });
    await changeTable(execute, 'campaign', {
      addColumns: { time_zone: `varchar(64) not null default 'UTC' after tenant_type` },
    });
  }

  override async down(): Promise<void> {
    const execute = executeOf(this);
    await changeTable(execute, 'campaign', { dropColumns: ['time_zone'] });
    await changeTable(execute, 'tenant', { dropColumns: ['time_zone'] });
  }
}
