import { Migration } from '@mikro-orm/migrations';
import { executeOf } from './row-steps.js';

const TABLES = {
  device: `
    tenant_id varchar(24) not null,
    id bigint unsigned not null,
    user_id bigint unsigned not null,
    identifier varchar(64) not null,
    user_agent varchar(512) not null,
    short_code varchar(32) null,
    secret_digest varchar(43) not null,
    status enum('ENABLED','DISABLED') not null,
    version int unsigned not null default 1,
    created_at datetime(3) not null,
    last_seen_at datetime(3) not null,
    unbound_at datetime(3) null,
    bound_identifier varchar(64) generated always as (case when unbound_at is null then identifier end) stored,
    primary key (tenant_id, id),
    unique key uq_device__tenant_bound (tenant_id, bound_identifier),
    key ix_device__tenant_user (tenant_id, user_id, id),
    key ix_device__tenant_identifier (tenant_id, identifier, id),
    key ix_device__tenant_short_code (tenant_id, short_code, id)`,
  auth_method: `
    tenant_id varchar(24) not null,
    kind enum('DEVICE') not null,
    identifier varchar(64) not null,
    user_id bigint unsigned not null,
    created_at datetime(3) not null,
    primary key (tenant_id, kind, identifier),
    key ix_auth_method__tenant_user (tenant_id, user_id)`,
  trial_grant: `
    tenant_id varchar(24) not null,
    kind enum('DEVICE') not null,
    identifier varchar(64) not null,
    id bigint unsigned not null,
    user_id bigint unsigned not null,
    subscription_id bigint unsigned not null,
    granted_at datetime(3) not null,
    primary key (tenant_id, kind, identifier)`,
  device_link_code: `
    tenant_id varchar(24) not null,
    digest varchar(43) not null,
    user_id bigint unsigned not null,
    expires_at datetime(3) not null,
    primary key (tenant_id, digest),
    key ix_device_link_code__tenant_user (tenant_id, user_id),
    key ix_device_link_code__expires (expires_at)`,
};

/** Devices that sign users in, what their identifiers lead to, trials, and codes that link further devices. */
export class Migration20261129050401_keep_devices extends Migration {
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
