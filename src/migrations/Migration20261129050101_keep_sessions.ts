import { Migration } from '@mikro-orm/migrations';
import { executeOf } from './row-steps.js';

/** Sign-ins of staff and devices, which their tokens end with. */
export class Migration20261129050101_keep_sessions extends Migration {
  override async up(): Promise<void> {
    await executeOf(this)(
      `create table if not exists session (
        tenant_id varchar(24) not null,
        id bigint unsigned not null,
        kind enum('STAFF','DEVICE') not null,
        subject_id bigint unsigned not null,
        device_id bigint unsigned null,
        family_digest varchar(43) not null,
        refresh_digest varchar(43) not null,
        created_at datetime(3) not null,
        expires_at datetime(3) not null,
        ended_at datetime(3) null,
        ended_reason enum('SIGNED_OUT','REFRESH_TOKEN_REUSED','DISABLED','ROLE_CHANGED','CREDENTIALS_CHANGED','UNBOUND','TOO_MANY_ONLINE') null,
        changed_at timestamp(3) null default null on update current_timestamp(3),
        primary key (tenant_id, id),
        key ix_session__tenant_changed (tenant_id, changed_at),
        key ix_session__tenant_subject (tenant_id, kind, subject_id),
        key ix_session__tenant_device (tenant_id, device_id),
        key ix_session__expires (expires_at)
      ) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB`,
      [],
    );
  }

  override async down(): Promise<void> {
    await executeOf(this)('drop table if exists session', []);
  }
}
