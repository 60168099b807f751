import { Migration } from '@mikro-orm/migrations';

const TABLE = 'default character set utf8mb4 collate utf8mb4_bin engine = InnoDB';

export class Migration20261129050501_keep_settings_of_tenants extends Migration {
  override up(): void {
    this.addSql(`create table if not exists tenant_settings (
      tenant_id varchar(24) not null,
      site json not null,
      auth json not null,
      register json not null,
      device json not null,
      custom_data json not null,
      sealed_secrets mediumblob null,
      key_id tinyint unsigned null,
      version int unsigned not null default 1,
      updated_at datetime(3) not null,
      primary key (tenant_id)
    ) ${TABLE}`);
    this.addSql(`create table if not exists announcement (
      tenant_id varchar(24) not null,
      id bigint unsigned not null,
      title varchar(128) not null,
      description varchar(4000) not null,
      starts_at datetime(3) null,
      ends_at datetime(3) null,
      created_at datetime(3) not null,
      primary key (tenant_id, id)
    ) ${TABLE}`);
  }

  override down(): void {
    this.addSql('drop table if exists announcement');
    this.addSql('drop table if exists tenant_settings');
  }
}
