import { Migration } from '@mikro-orm/migrations';
import { executeOf } from './row-steps.js';
import { changeTable } from './table-change.js';

export class Migration20261128080001_keep_fingerprints_of_peppers extends Migration {
  override async up(): Promise<void> {
    await this.execute(`create table if not exists code_pepper (
      key_id tinyint unsigned not null,
      fingerprint char(43) not null,
      state enum('PENDING','ACTIVE','RETIRING','RETIRED') not null,
      created_at datetime(3) not null,
      primary key (key_id),
      unique key uq_code_pepper__fingerprint (fingerprint)
    ) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB`);
    await changeTable(executeOf(this), 'process_node', { addColumns: { key_prints: 'varchar(255) null' } });
  }

  override async down(): Promise<void> {
    await changeTable(executeOf(this), 'process_node', { dropColumns: ['key_prints'] });
    await this.execute('drop table if exists code_pepper');
  }
}
