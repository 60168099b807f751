import { Migration } from '@mikro-orm/migrations';
import { executeOf } from './row-steps.js';
import { changeTable } from './table-change.js';

const SEALS = `create table if not exists user_seal (
    tenant_id varchar(24) not null,
    user_id bigint unsigned not null,
    secret varchar(43) not null,
    primary key (tenant_id, user_id)
  ) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB`;

/** The data of users can be erased, and what audit entries hold of them can be made unreadable. */
export class Migration20261130050201_erase_users extends Migration {
  override async up(): Promise<void> {
    const execute = executeOf(this);
    await changeTable(execute, 'user', { addColumns: { erased_at: 'datetime(3) null' } });
    await execute(SEALS, []);
  }

  override async down(): Promise<void> {
    const execute = executeOf(this);
    await execute('drop table if exists user_seal', []);
    await changeTable(execute, 'user', { dropColumns: ['erased_at'] });
  }
}
