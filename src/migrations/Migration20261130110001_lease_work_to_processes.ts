import { Migration } from '@mikro-orm/migrations';
import { executeOf } from './row-steps.js';

/** Work that only one process at a time does. The locks of the server that were there before stay in use by older processes. */
export class Migration20261130110001_lease_work_to_processes extends Migration {
  override async up(): Promise<void> {
    await executeOf(this)(
      `create table if not exists lease (
        name varchar(64) not null,
        owner char(36) not null,
        fence bigint unsigned not null,
        expires_at datetime(3) not null,
        primary key (name)
      ) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB`,
      [],
    );
  }

  override async down(): Promise<void> {
    await executeOf(this)('drop table if exists lease', []);
  }
}
