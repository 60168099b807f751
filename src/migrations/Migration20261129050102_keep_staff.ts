import { Migration } from '@mikro-orm/migrations';
import { executeOf } from './row-steps.js';

/** Accounts of a tenant's staff. */
export class Migration20261129050102_keep_staff extends Migration {
  override async up(): Promise<void> {
    await executeOf(this)(
      `create table if not exists staff (
        tenant_id varchar(24) not null,
        id bigint unsigned not null,
        email varchar(254) not null,
        name varchar(64) not null,
        role enum('OWNER','OPERATOR','AUDITOR') not null,
        status enum('INVITED','ACTIVE','DISABLED') not null,
        password_hash varchar(255) null,
        invitation_digest varchar(43) null,
        invitation_expires_at datetime(3) null,
        totp_secret varchar(255) null,
        totp_pending varchar(255) null,
        totp_step bigint unsigned not null,
        signed_in_at datetime(3) null,
        version int unsigned not null default 1,
        created_at datetime(3) not null,
        primary key (tenant_id, id),
        unique key uq_staff__tenant_email (tenant_id, email)
      ) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB`,
      [],
    );
  }

  override async down(): Promise<void> {
    await executeOf(this)('drop table if exists staff', []);
  }
}
