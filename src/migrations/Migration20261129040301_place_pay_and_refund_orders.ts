import { Migration } from '@mikro-orm/migrations';
import { executeOf } from './row-steps.js';
import { changeTable } from './table-change.js';

const OPTIONS = 'default character set utf8mb4 collate utf8mb4_bin engine = InnoDB';

/** At the end of the table and NULL, so that no row is rewritten and the orders of redemptions stay as large as they are. */
const ORDER_COLUMNS = {
  source_type: "enum('MALL','DRAW','ICHIBAN','GAME_PASS') null",
  currency: 'varchar(8) null',
  facility_id: 'bigint unsigned null',
  plan_id: 'bigint unsigned null',
  quantity: 'int unsigned null',
  takes_inventory: 'tinyint(1) null',
  total: 'numeric(30,10) null',
  discount: 'numeric(30,10) null',
  points_spent: 'int unsigned null',
  refunded: 'numeric(30,10) null',
  paid_at: 'datetime(3) null',
  closed_at: 'datetime(3) null',
  close_reason: "enum('TIMEOUT','USER','STAFF','FAILED') null",
};

const TABLES = {
  order_placement: `
    tenant_id varchar(24) not null,
    order_id bigint unsigned not null,
    due_at datetime(3) null,
    period_from datetime(3) null,
    period_until datetime(3) null,
    idempotency_key varchar(64) null,
    arguments_digest char(64) null,
    primary key (tenant_id, order_id),
    unique key uq_order_placement__tenant_key (tenant_id, idempotency_key),
    key ix_order_placement__due (due_at)`,
  order_payment: `
    tenant_id varchar(24) not null,
    id bigint unsigned not null,
    order_id bigint unsigned not null,
    method enum('BALANCE','CALLBACK') not null,
    payment_no varchar(64) not null,
    amount numeric(30,10) not null,
    currency varchar(8) not null,
    outcome enum('ACCEPTED','REFUNDED') not null,
    created_at datetime(3) not null,
    primary key (tenant_id, id),
    unique key uq_order_payment__payment (tenant_id, method, payment_no),
    key ix_order_payment__order (tenant_id, order_id),
    constraint ck_order_payment__amount check (amount > 0)`,
  order_refund: `
    tenant_id varchar(24) not null,
    order_id bigint unsigned not null,
    refund_no int unsigned not null,
    amount numeric(30,10) not null,
    reason varchar(255) not null,
    staff_id varchar(64) not null,
    debt varchar(100) null,
    idempotency_key varchar(64) null,
    arguments_digest char(64) null,
    created_at datetime(3) not null,
    primary key (tenant_id, order_id, refund_no),
    unique key uq_order_refund__tenant_key (tenant_id, idempotency_key),
    constraint ck_order_refund__amount check (amount >= 0)`,
};

/** Orders that are placed, paid, closed and refunded, beside those of redemptions; and plans whose traffic can be reset. */
export class Migration20261129040301_place_pay_and_refund_orders extends Migration {
  override async up(): Promise<void> {
    const execute = executeOf(this);
    await changeTable(execute, 'order', { addColumns: ORDER_COLUMNS });
    await changeTable(execute, 'plan', { addColumns: { reset_price: 'numeric(30,10) null' } });
    for (const [name, columns] of Object.entries(TABLES))
      await execute(`create table if not exists ${name} (${columns}) ${OPTIONS}`, []);
  }

  override async down(): Promise<void> {
    const execute = executeOf(this);
    for (const name of Object.keys(TABLES).toReversed()) await execute(`drop table if exists ${name}`, []);
    await changeTable(execute, 'plan', { dropColumns: ['reset_price'] });
    await changeTable(execute, 'order', { dropColumns: Object.keys(ORDER_COLUMNS) });
  }
}
