import { Migration } from '@mikro-orm/migrations';
import { executeOf } from './row-steps.js';
import { changeTable } from './table-change.js';

/** Sessions are shown with the address that opened them, and staff sign in by a recovery code without their app. */
export class Migration20261130060101_keep_recovery_codes_and_addresses_of_sessions extends Migration {
  override async up(): Promise<void> {
    const execute = executeOf(this);
    await changeTable(execute, 'session', { addColumns: { ip: 'varchar(45) null' } });
    await changeTable(execute, 'staff', { addColumns: { recovery_digests: 'json null' } });
  }

  override async down(): Promise<void> {
    const execute = executeOf(this);
    await changeTable(execute, 'staff', { dropColumns: ['recovery_digests'] });
    await changeTable(execute, 'session', { dropColumns: ['ip'] });
  }
}
