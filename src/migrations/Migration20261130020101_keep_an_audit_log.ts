import { Migration } from '@mikro-orm/migrations';
import { forbidChanges, permitChanges } from './frozen-rows.js';
import { executeOf } from './row-steps.js';

const ENTRIES = `create table if not exists audit_entry (
    tenant_id varchar(24) not null,
    seq bigint unsigned not null,
    created_at datetime(3) not null,
    operation varchar(80) not null,
    actor_kind enum('STAFF', 'PARTNER', 'OPERATOR') not null,
    actor_id varchar(128) not null,
    actor_role varchar(16) null,
    credential_id varchar(24) null,
    ip varchar(45) null,
    request_id varchar(64) null,
    target_type varchar(40) not null,
    target_id varchar(128) not null,
    details mediumtext not null,
    previous varchar(43) not null,
    digest varchar(43) not null,
    primary key (tenant_id, seq),
    key ix_audit_entry__actor (tenant_id, actor_id, seq),
    key ix_audit_entry__operation (tenant_id, operation, seq),
    key ix_audit_entry__target (tenant_id, target_id, target_type, seq),
    key ix_audit_entry__created (tenant_id, created_at)
  ) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB`;

const HEADS = `create table if not exists audit_head (
    tenant_id varchar(24) not null,
    last_seq bigint unsigned not null,
    digest varchar(43) not null,
    anchored_seq bigint unsigned not null,
    anchored_at datetime(3) null,
    primary key (tenant_id)
  ) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB`;

/** The changes by staff, chained by digests, and the end of each chain. */
export class Migration20261130020101_keep_an_audit_log extends Migration {
  override async up(): Promise<void> {
    await this.execute(ENTRIES);
    await this.execute(HEADS);
    await forbidChanges(executeOf(this), 'audit_entry', '');
  }

  override async down(): Promise<void> {
    await permitChanges(executeOf(this), 'audit_entry');
    await this.execute('drop table if exists audit_head');
    await this.execute('drop table if exists audit_entry');
  }
}
