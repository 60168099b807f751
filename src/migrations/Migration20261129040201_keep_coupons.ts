import { Migration } from '@mikro-orm/migrations';
import { executeOf } from './row-steps.js';

const TERMS = `
    kind enum('AMOUNT','THRESHOLD','RATE') not null,
    currency varchar(8) not null,
    amount decimal(30,10) not null,
    minimum decimal(30,10) not null,
    rate_mille int unsigned not null`;

const CAUSES = `enum('STAFF','REDEMPTION','ORDER','TIMEOUT','CANCELLED','REFUNDED','EXPIRY')`;

const TABLES = {
  coupon_template: `
    tenant_id varchar(24) not null,
    id bigint unsigned not null,
    name varchar(64) not null,${TERMS},
    issue_limit int unsigned null,
    issued int unsigned not null default 0,
    valid_days int unsigned null,
    starts_at datetime(3) null,
    ends_at datetime(3) null,
    enabled tinyint(1) not null,
    version int unsigned not null default 1,
    created_at datetime(3) not null,
    primary key (tenant_id, id),
    constraint ck_coupon_template__issued check (issue_limit is null or issued <= issue_limit)`,
  user_coupon: `
    tenant_id varchar(24) not null,
    id bigint unsigned not null,
    user_id bigint unsigned not null,
    template_id bigint unsigned not null,${TERMS},
    balance decimal(30,10) not null,
    status enum('AVAILABLE','USED','EXPIRED','RESERVED') not null,
    reserved_order_id bigint unsigned null,
    used_order_id bigint unsigned null,
    expires_at datetime(3) null,
    redemption_id bigint unsigned null,
    reward_no int unsigned null,
    ordinal int unsigned not null,
    idempotency_key varchar(64) null,
    arguments_digest char(64) null,
    version int unsigned not null default 1,
    created_at datetime(3) not null,
    primary key (tenant_id, id),
    unique key uq_user_coupon__reward (tenant_id, redemption_id, reward_no, ordinal),
    unique key uq_user_coupon__tenant_key (tenant_id, idempotency_key, ordinal),
    key ix_user_coupon__user (tenant_id, user_id, id),
    key ix_user_coupon__template (tenant_id, template_id, id),
    key ix_user_coupon__status_expires (status, expires_at),
    constraint ck_user_coupon__balance check (balance >= 0)`,
  order_coupon: `
    tenant_id varchar(24) not null,
    order_id bigint unsigned not null,
    coupon_id bigint unsigned not null,
    amount decimal(30,10) not null,
    primary key (tenant_id, order_id, coupon_id),
    key ix_order_coupon__coupon (tenant_id, coupon_id, order_id)`,
  coupon_ledger: `
    tenant_id varchar(24) not null,
    id bigint unsigned not null,
    coupon_id bigint unsigned not null,
    order_id bigint unsigned null,
    action enum('ISSUE','RESERVE','USAGE','REFUND','EXPIRE','REVERSAL') not null,
    amount decimal(30,10) not null,
    cause ${CAUSES} not null,
    created_at datetime(3) not null,
    primary key (tenant_id, id),
    unique key uq_coupon_ledger__order_coupon_action (tenant_id, order_id, coupon_id, action),
    key ix_coupon_ledger__coupon (tenant_id, coupon_id, id)`,
};

/** Coupons of users, what orders took from them, and their ledger. */
export class Migration20261129040201_keep_coupons extends Migration {
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
