import { Migration } from '@mikro-orm/migrations';

export class Migration20261121000000_keep_a_mark_of_deleted_tombstones extends Migration {
  override up(): void {
    this.addSql(`create table if not exists tombstone_mark (
      tenant_id varchar(24) not null,
      cleared_to_id bigint unsigned not null,
      primary key (tenant_id)
    ) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB`);
  }

  override down(): void {
    this.addSql('drop table if exists tombstone_mark');
  }
}
