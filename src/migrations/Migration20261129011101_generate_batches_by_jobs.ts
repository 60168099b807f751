import { Migration } from '@mikro-orm/migrations';
import { executeOf } from './row-steps.js';
import { changeTable } from './table-change.js';

/**
 * The program before took every batch for ready. Those that are not are voided, so that none of their codes is ever
 * redeemed, and give their quota back: in one statement, so that a run that was ended gives nothing back twice.
 */
const VOID_UNDER_WAY = `update code_batch b
  join tenant t on t.id = b.tenant_id
  join (
    select w.tenant_id, sum(w.requested - (
        select count(*) from code c where c.tenant_id = w.tenant_id and c.batch_id = w.id and c.deleted_at is not null
      )) as held
      from code_batch w where w.status in ('PENDING', 'GENERATING') group by w.tenant_id) h on h.tenant_id = b.tenant_id
   set t.codes_issued = t.codes_issued - h.held, b.status = 'CANCELLED', b.voided_at = utc_timestamp(3)
 where b.status in ('PENDING', 'GENERATING')`;
const VOID_GIVEN_UP = `update code_batch set voided_at = utc_timestamp(3)
 where status in ('FAILED', 'CANCELLED') and voided_at is null`;

/**
 * What a batch needs that is made in many transactions, and an index by which unfinished batches are found. Codes of
 * such a batch whose campaign stores no texts wait, encrypted, in a table of their own until they are handed out.
 */
export class Migration20261129011101_generate_batches_by_jobs extends Migration {
  override async up(): Promise<void> {
    await changeTable(executeOf(this), 'code_batch', {
      addColumns: {
        recipe: 'json null',
        started_at: 'datetime(3) null',
        finished_at: 'datetime(3) null',
        failure: `enum('CODES_COLLIDE','RETRIES_EXHAUSTED') null`,
      },
      addIndexes: { ix_code_batch__status: '(status, `generated`)' },
    });
    await this.execute(`create table if not exists sealed_codes (
      tenant_id varchar(24) not null,
      batch_id bigint unsigned not null,
      first_no bigint unsigned not null,
      key_id tinyint unsigned not null,
      sealed mediumblob not null,
      primary key (tenant_id, batch_id, first_no)
    ) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB`);
  }

  override async down(): Promise<void> {
    await this.execute(VOID_UNDER_WAY);
    await this.execute(VOID_GIVEN_UP);
    await this.execute('drop table if exists sealed_codes');
    await changeTable(executeOf(this), 'code_batch', {
      dropIndexes: ['ix_code_batch__status'],
      dropColumns: ['failure', 'finished_at', 'started_at', 'recipe'],
    });
  }
}
