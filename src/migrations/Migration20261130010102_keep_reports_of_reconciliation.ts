import { Migration } from '@mikro-orm/migrations';
import { executeOf } from './row-steps.js';

const RUNS = `create table if not exists reconciliation_run (
    tenant_id varchar(24) not null,
    id bigint unsigned not null,
    status enum('WAITING','RUNNING','DONE','FAILED') not null,
    repair tinyint(1) not null,
    requested_by varchar(64) null,
    requested_at datetime(3) not null,
    started_at datetime(3) null,
    alive_at datetime(3) null,
    finished_at datetime(3) null,
    verdict enum('CLEAN','DRIFT') null,
    drifts int unsigned null,
    report json null,
    open_slot tinyint unsigned null,
    primary key (tenant_id, id),
    unique key uq_reconciliation_run__open (tenant_id, open_slot),
    key ix_reconciliation_run__open (open_slot, status)
  ) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB`;

/** Reports that every process can show, and requests for new ones. */
export class Migration20261130010102_keep_reports_of_reconciliation extends Migration {
  override async up(): Promise<void> {
    await executeOf(this)(RUNS, []);
  }

  override async down(): Promise<void> {
    await executeOf(this)('drop table if exists reconciliation_run', []);
  }
}
