import { Migration } from '@mikro-orm/migrations';
import { executeOf } from './row-steps.js';

const CAUSES = `enum('STAFF','REDEMPTION','ORDER','TIMEOUT','CANCELLED','REFUNDED','EXPIRY')`;

const TABLES = {
  points_account: `
    tenant_id varchar(24) not null,
    user_id bigint unsigned not null,
    balance bigint not null,
    updated_at datetime(3) not null,
    primary key (tenant_id, user_id),
    constraint ck_points_account__balance check (balance >= 0)`,
  points_lot: `
    tenant_id varchar(24) not null,
    id bigint unsigned not null,
    user_id bigint unsigned not null,
    granted bigint unsigned not null,
    remaining bigint unsigned not null,
    spent bigint unsigned not null,
    expires_at datetime(3) null,
    redemption_id bigint unsigned null,
    reward_no int unsigned null,
    idempotency_key varchar(64) null,
    arguments_digest char(64) null,
    created_at datetime(3) not null,
    due_at datetime(3) generated always as (case when remaining > 0 then expires_at end) stored,
    primary key (tenant_id, id),
    unique key uq_points_lot__reward (tenant_id, redemption_id, reward_no),
    unique key uq_points_lot__tenant_key (tenant_id, idempotency_key),
    key ix_points_lot__user_remaining (tenant_id, user_id, remaining),
    key ix_points_lot__due (due_at),
    constraint ck_points_lot__remaining check (remaining + spent <= granted)`,
  order_points: `
    tenant_id varchar(24) not null,
    order_id bigint unsigned not null,
    lot_id bigint unsigned not null,
    points bigint unsigned not null,
    primary key (tenant_id, order_id, lot_id),
    key ix_order_points__lot (tenant_id, lot_id, order_id)`,
  points_ledger: `
    tenant_id varchar(24) not null,
    id bigint unsigned not null,
    user_id bigint unsigned not null,
    action enum('GRANT','SPEND','GIVE_BACK','EXPIRE','REWARD_REVERSAL') not null,
    points bigint not null,
    order_id bigint unsigned null,
    lot_id bigint unsigned null,
    cause ${CAUSES} not null,
    created_at datetime(3) not null,
    primary key (tenant_id, id),
    unique key uq_points_ledger__order_user_action (tenant_id, order_id, user_id, action),
    key ix_points_ledger__user (tenant_id, user_id, id)`,
};

/** Points of users by the lots that expire together, what orders took of them, and their ledger. */
export class Migration20261129040202_keep_points extends Migration {
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
