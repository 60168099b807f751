import { Migration } from '@mikro-orm/migrations';
import { executeOf } from './row-steps.js';

const TABLES = {
  code_import: `
    tenant_id varchar(24) not null,
    id bigint unsigned not null,
    campaign_id bigint unsigned not null,
    lines_done bigint unsigned not null,
    imported bigint unsigned not null,
    refused bigint unsigned not null,
    lines_digest char(64) null,
    upload_id bigint unsigned null,
    refusal varchar(64) null,
    progress_at datetime(3) not null,
    idempotency_key varchar(64) not null,
    arguments_digest char(64) not null,
    created_at datetime(3) not null,
    finished_at datetime(3) null,
    primary key (tenant_id, id),
    unique key uq_code_import__tenant_key (tenant_id, idempotency_key)`,
  code_import_part: `
    tenant_id varchar(24) not null,
    import_id bigint unsigned not null,
    upload_id bigint unsigned not null,
    part_no int unsigned not null,
    body mediumblob not null,
    primary key (tenant_id, import_id, upload_id, part_no)`,
  code_import_refusal: `
    tenant_id varchar(24) not null,
    import_id bigint unsigned not null,
    line int unsigned not null,
    reason enum('LINE_NOT_READABLE','CODE_MISSING','CODE_TEXT_NOT_ALLOWED','USE_LIMIT_OUT_OF_RANGE',
      'WINDOW_NOT_ALLOWED','CODE_REPEATED','CODE_EXISTS','USER_NOT_FOUND') not null,
    primary key (tenant_id, import_id, line)`,
};

/** How far files of codes are read, and which of their lines were refused. */
export class Migration20261129011203_keep_imports_of_codes extends Migration {
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
