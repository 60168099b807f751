import { Migration } from '@mikro-orm/migrations';
import { formatSignature, type StoredRule } from './code-formats.js';
import { executeOf, type Execute } from './row-steps.js';
import { changeTable } from './table-change.js';

/**
 * How many live codes a tenant has of each format, so that codes which could be guessed are refused over all campaigns.
 * Batches that are there are counted by the rule of their campaign.
 */
export class Migration20261129011201_count_live_codes_by_format extends Migration {
  override async up(): Promise<void> {
    const execute = executeOf(this);
    await changeTable(execute, 'code_format', {
      addColumns: { live: 'bigint unsigned not null default 0 after `format`' },
    });
    await execute(
      `create table if not exists code_batch_format (tenant_id varchar(24) not null, batch_id bigint unsigned not null,
        format_id bigint unsigned not null, live bigint unsigned not null,
        primary key (tenant_id, batch_id, format_id)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB`,
      [],
    );
    await countBatches(execute);
    // From the rows of the batches, so that a run after an interrupted one counts nothing twice.
    await execute(
      `update code_format f set live = coalesce((select sum(b.live) from code_batch_format b
        where b.tenant_id = f.tenant_id and b.format_id = f.id), 0)`,
      [],
    );
  }

  override async down(): Promise<void> {
    await executeOf(this)('drop table if exists code_batch_format', []);
    await changeTable(executeOf(this), 'code_format', { dropColumns: ['live'] });
  }
}

/** Those that can be redeemed, and those still to be made: not voided or given up, in a campaign that has not ended. */
async function countBatches(execute: Execute): Promise<void> {
  const rows = async (sql: string, params: readonly unknown[] = []) =>
    (await execute(sql, params)) as Record<string, string>[];
  const campaigns = await rows(
    `select tenant_id as tenantId, cast(id as char) as campaignId, cast(rule as char) as rule from campaign
      where status <> 'ENDED' and deleted_at is null`,
  );
  for (const { tenantId, campaignId, rule = '{}' } of campaigns)
    await execute(
      `insert ignore into code_batch_format (tenant_id, batch_id, format_id, live)
        select b.tenant_id, b.id, f.id, if(b.status in ('PENDING', 'GENERATING'), b.requested - b.\`generated\`, 0) + (
            select count(*) from code c
              where c.tenant_id = b.tenant_id and c.batch_id = b.id and c.deleted_at is null) as codes
          from code_batch b join code_format f on f.tenant_id = b.tenant_id and f.signature = ?
        where b.tenant_id = ? and b.campaign_id = ? and b.voided_at is null and b.status not in ('FAILED', 'CANCELLED')
        having codes > 0`,
      [formatSignature(JSON.parse(rule) as StoredRule), tenantId, campaignId],
    );
}
