import { Migration } from '@mikro-orm/migrations';
import { executeOf } from './row-steps.js';

const ENTRY_TYPES = `enum('ADJUSTMENT','TRANSFER_OUT','TRANSFER_IN','FEE','RECHARGE','PAYMENT','REFUND','REWARD','REWARD_REVERSAL')`;

const TABLES = {
  currency: `
    tenant_id varchar(24) not null,
    code varchar(8) not null,
    name varchar(64) not null,
    scale tinyint unsigned not null,
    fee_rate numeric(30,10) not null,
    transfer_max numeric(30,10) null,
    daily_count_max int unsigned null,
    daily_sum_max numeric(30,10) null,
    enabled tinyint(1) not null,
    version int unsigned not null default 1,
    created_at datetime(3) not null,
    primary key (tenant_id, code)`,
  facility: `
    tenant_id varchar(24) not null,
    id bigint unsigned not null,
    name varchar(64) not null,
    enabled tinyint(1) not null,
    version int unsigned not null default 1,
    created_at datetime(3) not null,
    primary key (tenant_id, id)`,
  money_account: `
    tenant_id varchar(24) not null,
    user_id bigint unsigned not null,
    facility_id bigint unsigned not null,
    currency varchar(8) not null,
    id bigint unsigned not null,
    balance numeric(30,10) not null,
    entry_no bigint unsigned not null,
    halted_at datetime(3) null,
    created_at datetime(3) not null,
    primary key (tenant_id, user_id, facility_id, currency),
    unique key uq_money_account__id (tenant_id, id),
    key ix_money_account__halted (tenant_id, halted_at),
    constraint ck_money_account__balance check (balance >= 0)`,
  money_entry: `
    tenant_id varchar(24) not null,
    id bigint unsigned not null,
    account_id bigint unsigned not null,
    entry_no bigint unsigned not null,
    user_id bigint unsigned not null,
    facility_id bigint unsigned not null,
    currency varchar(8) not null,
    type ${ENTRY_TYPES} not null,
    order_id varchar(64) not null,
    balance_before numeric(30,10) not null,
    amount numeric(30,10) not null,
    balance_after numeric(30,10) not null,
    remark varchar(255) null,
    extra json null,
    created_at datetime(3) not null,
    primary key (tenant_id, id),
    unique key uq_money_entry__order (tenant_id, account_id, order_id, type),
    unique key uq_money_entry__no (tenant_id, account_id, entry_no),
    key ix_money_entry__user (tenant_id, user_id, id)`,
  system_entry: `
    tenant_id varchar(24) not null,
    id bigint unsigned not null,
    facility_id bigint unsigned not null,
    currency varchar(8) not null,
    purpose enum('ISSUE','FEE','REVENUE','RECHARGE','REWARD') not null,
    type ${ENTRY_TYPES} not null,
    order_id varchar(64) not null,
    amount numeric(30,10) not null,
    created_at datetime(3) not null,
    primary key (tenant_id, id),
    key ix_system_entry__account (tenant_id, facility_id, currency, purpose, amount)`,
  money_transfer: `
    tenant_id varchar(24) not null,
    id bigint unsigned not null,
    order_id varchar(64) not null,
    from_user_id bigint unsigned not null,
    to_user_id bigint unsigned not null,
    facility_id bigint unsigned not null,
    currency varchar(8) not null,
    amount numeric(30,10) not null,
    fee numeric(30,10) not null,
    net numeric(30,10) not null,
    day varchar(10) not null,
    created_at datetime(3) not null,
    primary key (tenant_id, id),
    unique key uq_money_transfer__order (tenant_id, from_user_id, order_id),
    key ix_money_transfer__from (tenant_id, from_user_id, id),
    key ix_money_transfer__to (tenant_id, to_user_id, id)`,
  transfer_day: `
    tenant_id varchar(24) not null,
    user_id bigint unsigned not null,
    currency varchar(8) not null,
    day varchar(10) not null,
    \`count\` int unsigned not null,
    \`sum\` numeric(30,10) not null,
    primary key (tenant_id, user_id, currency)`,
};

/** Balances of users, the entries that explain them, and transfers. */
export class Migration20261129040101_keep_a_ledger extends Migration {
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
