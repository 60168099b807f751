import { Migration } from '@mikro-orm/migrations';

const WEBHOOKS = `create table if not exists webhook (
    tenant_id varchar(24) not null,
    id bigint unsigned not null,
    url varchar(1000) not null,
    event_types json not null,
    status enum('ENABLED', 'DISABLED', 'DISABLED_BY_FAILURES') not null,
    disabled_reason enum('FAILURES', 'GONE') null,
    secret varbinary(255) not null,
    previous_secret varbinary(255) null,
    previous_secret_until datetime(3) null,
    after_seq bigint unsigned not null,
    failing_since datetime(3) null,
    replay_after_seq bigint unsigned null,
    replay_up_to_seq bigint unsigned null,
    version int unsigned not null default 1,
    created_at datetime(3) not null,
    updated_at datetime(3) not null,
    primary key (tenant_id, id)
  ) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB`;

const DELIVERIES = `create table if not exists webhook_delivery (
    tenant_id varchar(24) not null,
    id bigint unsigned not null,
    webhook_id bigint unsigned not null,
    seq bigint unsigned not null,
    event_type varchar(40) not null,
    status enum('PENDING', 'DELIVERED', 'FAILED') not null,
    attempts int unsigned not null,
    response_status int unsigned null,
    response_text varchar(500) null,
    failure varchar(32) null,
    queued_at datetime(3) not null,
    attempted_at datetime(3) null,
    next_attempt_at datetime(3) null,
    primary key (tenant_id, id),
    unique key uq_webhook_delivery__webhook_seq (tenant_id, webhook_id, seq),
    key ix_webhook_delivery__due (status, tenant_id, webhook_id, next_attempt_at),
    key ix_webhook_delivery__webhook (tenant_id, webhook_id, id),
    key ix_webhook_delivery__queued (queued_at)
  ) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB`;

/** Webhooks of tenants, and what was delivered to each. */
export class Migration20261129050301_send_events_to_webhooks extends Migration {
  override async up(): Promise<void> {
    await this.execute(WEBHOOKS);
    await this.execute(DELIVERIES);
  }

  override async down(): Promise<void> {
    await this.execute('drop table if exists webhook_delivery');
    await this.execute('drop table if exists webhook');
  }
}
