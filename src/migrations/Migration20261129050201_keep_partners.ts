import { Migration } from '@mikro-orm/migrations';

const TABLES = {
  partner: `
    tenant_id varchar(24) not null,
    id bigint unsigned not null,
    name varchar(64) not null,
    status enum('ACTIVE','DISABLED') not null,
    version int unsigned not null default 1,
    created_at datetime(3) not null,
    primary key (tenant_id, id),
    unique key uq_partner__tenant_name (tenant_id, name)`,
  api_key: `
    tenant_id varchar(24) not null,
    id bigint unsigned not null,
    partner_id bigint unsigned not null,
    name varchar(64) not null,
    digest varchar(43) not null,
    last_four char(4) not null,
    scopes json not null,
    product_codes json null,
    expires_at datetime(3) null,
    last_used_at datetime(3) null,
    revoked_at datetime(3) null,
    keeps_user_tokens tinyint(1) not null default 0,
    created_at datetime(3) not null,
    created_by varchar(64) not null,
    primary key (tenant_id, id),
    unique key uq_api_key__digest (digest),
    key ix_api_key__partner (tenant_id, partner_id, id)`,
  partner_operations: `
    tenant_id varchar(24) not null,
    partner_id bigint unsigned not null,
    operations json not null,
    operation_count int unsigned not null,
    version int unsigned not null default 1,
    registered_at datetime(3) not null,
    registered_by varchar(64) not null,
    primary key (tenant_id, partner_id)`,
};

/** Partners of tenants, their API keys, and the operations that their servers may run. */
export class Migration20261129050201_keep_partners extends Migration {
  override async up(): Promise<void> {
    for (const [table, columns] of Object.entries(TABLES))
      await this.execute(
        `create table if not exists ${table} (${columns}\n  ) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB`,
      );
  }

  override async down(): Promise<void> {
    for (const table of Object.keys(TABLES).toReversed()) await this.execute(`drop table if exists ${table}`);
  }
}
