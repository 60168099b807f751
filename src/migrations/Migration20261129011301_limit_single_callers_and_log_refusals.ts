import { Migration } from '@mikro-orm/migrations';

const TABLE = 'default character set utf8mb4 collate utf8mb4_bin engine = InnoDB';

export class Migration20261129011301_limit_single_callers_and_log_refusals extends Migration {
  override up(): void {
    this.addSql(`create table if not exists rate_limit (
      tenant_id varchar(24) not null,
      product_code varchar(16) not null,
      scope enum('USER','DEVICE','IP') not null,
      hour_limit int unsigned null,
      day_limit int unsigned null,
      version int unsigned not null default 1,
      updated_at datetime(3) not null,
      primary key (tenant_id, product_code, scope)
    ) ${TABLE}`);
    this.addSql(`create table if not exists refused_attempt (
      tenant_id varchar(24) not null,
      id bigint unsigned not null,
      refused_at datetime(3) not null,
      user_id bigint unsigned not null,
      product_code varchar(16) null,
      device_id varchar(64) null,
      address varchar(45) null,
      code_digest char(43) null,
      is_preview tinyint(1) not null,
      refusal varchar(40) not null,
      limited_by enum('PRODUCT_LINE','USER','DEVICE','IP','TENANT') null,
      retry_after_ms int unsigned null,
      further int unsigned not null,
      primary key (tenant_id, id),
      key ix_refused_attempt__user (tenant_id, user_id, id),
      key ix_refused_attempt__digest (tenant_id, code_digest, id),
      key ix_refused_attempt__at (refused_at)
    ) ${TABLE}`);
  }

  override down(): void {
    this.addSql('drop table if exists refused_attempt');
    this.addSql('drop table if exists rate_limit');
  }
}
