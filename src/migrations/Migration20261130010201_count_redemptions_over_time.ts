import { Migration } from '@mikro-orm/migrations';
import { executeOf } from './row-steps.js';

const OPTIONS = 'default character set utf8mb4 collate utf8mb4_bin engine = InnoDB';

const TABLES = {
  redemption_series: `
    tenant_id varchar(24) not null,
    step enum('MINUTE','HOUR','DAY') not null,
    campaign_id bigint unsigned not null,
    product_code varchar(16) not null,
    starts_at datetime(3) not null,
    outcome varchar(40) not null,
    total bigint not null,
    primary key (tenant_id, step, campaign_id, product_code, starts_at, outcome),
    key ix_redemption_series__age (step, starts_at)`,
  redemption_series_cursor: `
    tenant_id varchar(24) not null,
    seq bigint unsigned not null,
    primary key (tenant_id)`,
};

/** Redemptions and refusals by minute, hour and day. Workers count what is there when they start. */
export class Migration20261130010201_count_redemptions_over_time extends Migration {
  override async up(): Promise<void> {
    for (const [table, columns] of Object.entries(TABLES))
      await executeOf(this)(`create table if not exists ${table} (${columns}) ${OPTIONS}`, []);
  }

  override async down(): Promise<void> {
    for (const table of Object.keys(TABLES)) await executeOf(this)(`drop table if exists ${table}`, []);
  }
}
