import { Migration } from '@mikro-orm/migrations';
import { executeOf } from './row-steps.js';

const TABLES = {
  code_pool: `
    tenant_id varchar(24) not null,
    campaign_id bigint unsigned not null,
    size int unsigned not null,
    refusal varchar(64) null,
    created_at datetime(3) not null,
    primary key (tenant_id, campaign_id)`,
  code_pool_item: `
    tenant_id varchar(24) not null,
    campaign_id bigint unsigned not null,
    code_id bigint unsigned not null,
    primary key (tenant_id, campaign_id, code_id)`,
  code_allocation: `
    tenant_id varchar(24) not null,
    id bigint unsigned not null,
    campaign_id bigint unsigned not null,
    receiver_type enum('USER','CHANNEL') not null,
    receiver varchar(64) not null,
    count int unsigned not null,
    idempotency_key varchar(64) null,
    arguments_digest char(64) null,
    created_at datetime(3) not null,
    primary key (tenant_id, id),
    unique key uq_code_allocation__tenant_key (tenant_id, idempotency_key),
    key ix_code_allocation__campaign (tenant_id, campaign_id, id)`,
  code_allocation_item: `
    tenant_id varchar(24) not null,
    code_id bigint unsigned not null,
    allocation_id bigint unsigned not null,
    primary key (tenant_id, code_id),
    key ix_code_allocation_item__allocation (tenant_id, allocation_id, code_id)`,
};

/** Codes made ahead, and who got them. */
export class Migration20261129011202_keep_pools_of_codes extends Migration {
  override async up(): Promise<void> {
    for (const [table, columns] of Object.entries(TABLES))
      await executeOf(this)(
        `create table if not exists ${table} (${columns}) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB`,
        [],
      );
  }

  override async down(): Promise<void> {
    for (const table of Object.keys(TABLES).toReversed())
      await executeOf(this)(`drop table if exists ${table}`, []);
  }
}
