import { Migration } from '@mikro-orm/migrations';
import { executeOf, rowSteps, type Execute } from './row-steps.js';
import { namesOf } from './table-change.js';

/** The consumers that there were: an event was published when all of them had handled it. */
const CONSUMERS = ['code_copies', 'late_confirms', 'subscription_cache'];

/**
 * Events get their numbers from the transactions that write them. Those that wait for a number get the next ones, in
 * the order of their ids. Their ids go into their payloads, so that clients who have seen an event know it again. No
 * older version may run beside it.
 */
export class Migration20261128800001_number_events_in_their_transactions extends Migration {
  override async up(): Promise<void> {
    const execute = executeOf(this);
    const columns = await namesOf(execute, 'outbox_event', 'columns');
    if (columns.has('id')) {
      if (!columns.has('subject_id'))
        await execute(
          'alter table outbox_event add column subject_id bigint unsigned null after user_id',
          [],
        );
      await numberEvents(execute);
      for await (const { tenantId, after, until } of rowSteps(execute, 'outbox_event'))
        await execute(
          `update outbox_event set payload = json_insert(payload, '$.eventId', cast(id as char)),
            subject_id = case type when 'redemption_settled' then json_value(payload, '$.redemptionId')
              when 'campaign_changed' then json_value(payload, '$.campaignId') end
            where tenant_id = ? and id > ? and id <= ?`,
          [tenantId, after, until],
        );
      await execute(
        `alter table outbox_event modify seq bigint unsigned not null after tenant_id, drop primary key, drop column id,
          drop index uq_outbox_event__tenant_seq, add primary key (tenant_id, seq),
          add index ix_outbox_event__tenant_subject (tenant_id, subject_id)`,
        [],
      );
    }
    await execute(
      `create table if not exists event_consumer (tenant_id varchar(24) not null, consumer varchar(40) not null,
        seq bigint unsigned not null, primary key (tenant_id, consumer)) default character set utf8mb4 collate utf8mb4_bin engine = InnoDB`,
      [],
    );
    if (!(await namesOf(execute, 'outbox_counter', 'columns')).has('published_seq')) return;
    for (const consumer of CONSUMERS)
      await execute(
        `insert into event_consumer (tenant_id, consumer, seq)
          select tenant_id, ?, published_seq from outbox_counter on duplicate key update consumer = consumer`,
        [consumer],
      );
    await execute('alter table outbox_counter drop column published_seq', []);
  }

  /** Events get ids that follow their numbers within a millisecond; those from before have their own again. */
  override async down(): Promise<void> {
    const execute = executeOf(this);
    if (!(await namesOf(execute, 'outbox_counter', 'columns')).has('published_seq'))
      await execute(
        'alter table outbox_counter add column published_seq bigint unsigned not null default 0',
        [],
      );
    if ((await namesOf(execute, 'event_consumer', 'columns')).size > 0)
      await execute(
        `update outbox_counter c join (select tenant_id, min(seq) as seq from event_consumer group by tenant_id) e
          on e.tenant_id = c.tenant_id set c.published_seq = e.seq`,
        [],
      );
    await execute('alter table outbox_counter alter column published_seq drop default', []);
    await execute('drop table if exists event_consumer', []);
    const columns = await namesOf(execute, 'outbox_event', 'columns');
    if (!columns.has('subject_id')) return;
    if (!columns.has('id'))
      await execute('alter table outbox_event add column id bigint unsigned null after tenant_id', []);
    await execute(
      `update outbox_event set id = coalesce(json_value(payload, '$.eventId'),
        ((timestampdiff(microsecond, '2024-01-01', created_at) div 1000) << 22) + (seq & 4194303)) where id is null`,
      [],
    );
    await execute(
      `alter table outbox_event modify id bigint unsigned not null, drop primary key, add primary key (tenant_id, id),
        modify seq bigint unsigned null after payload, add unique key uq_outbox_event__tenant_seq (tenant_id, seq),
        drop index ix_outbox_event__tenant_subject, drop column subject_id`,
      [],
    );
  }
}

const NUMBERED_AT_ONCE = 1000;

/** Continues from the highest number, so a run after an interrupted one does the rest. */
async function numberEvents(execute: Execute): Promise<void> {
  const rows = async (sql: string, params: readonly unknown[] = []) =>
    (await execute(sql, params)) as Record<string, string>[];
  for (const { tenantId } of await rows(
    'select distinct tenant_id as tenantId from outbox_event where seq is null',
  ))
    for (let isMore = true; isMore;) {
      const waiting = await rows(
        `select cast(id as char) as textId from outbox_event where tenant_id = ? and seq is null
          order by id limit ${NUMBERED_AT_ONCE}`,
        [tenantId],
      );
      await execute(
        `update json_table(?, '$[*]' columns (position for ordinality, id bigint unsigned path '$')) waiting
          join (select greatest(coalesce((select max(seq) from outbox_event where tenant_id = ?), 0),
            coalesce((select last_seq from outbox_counter where tenant_id = ?), 0)) as seq) last
          straight_join outbox_event event on event.tenant_id = ? and event.id = waiting.id
          set event.seq = last.seq + waiting.position`,
        [JSON.stringify(waiting.map(({ textId }) => textId)), tenantId, tenantId, tenantId],
      );
      isMore = waiting.length === NUMBERED_AT_ONCE;
    }
  await execute(
    `insert into outbox_counter (tenant_id, last_seq, published_seq)
      select tenant_id, max(seq), 0 from outbox_event group by tenant_id
      on duplicate key update last_seq = greatest(last_seq, values(last_seq))`,
    [],
  );
}
