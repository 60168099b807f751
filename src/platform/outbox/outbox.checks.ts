import type { RowCheck, RowFacts } from '../database/row-check.js';

const NUMBER_MISSING = {
  kind: 'EVENT_NUMBER_MISSING',
  invariant: 'I7',
  means: 'Numbers of events are missing, so a cursor may lead past an event.',
  remedy: 'Events were deleted by hand: restore them from a backup, or have clients read their data again.',
} as const;
/** What is removed because of its age is removed from the low end. */
const GAPS: RowFacts = {
  name: 'events',
  rows: { table: 'outbox_event', key: ['seq'] },
  sql: `select cast(e.seq as char) as id from outbox_event e force index (primary)
     where e.tenant_id = :tenant and e.seq in (:items)
       and e.seq > (select min(seq) from outbox_event where tenant_id = e.tenant_id)
       and not exists (select 1 from outbox_event before_it
         where before_it.tenant_id = e.tenant_id and before_it.seq = e.seq - 1)`,
};

export const OUTBOX_CHECKS: readonly RowCheck[] = [
  {
    kind: 'EVENT_UNHANDLED',
    invariant: 'I7',
    means: 'Events wait for one of their consumers for more than a minute.',
    remedy:
      'Check that a process with the role worker or all runs, and what its log says about the consumer.',
    facts: {
      name: 'logs',
      rows: 'TENANT',
      // The first event behind each cursor, where it is old; a consumer without a cursor waits for all.
      sql: `select t.id, n.name as subject,
            (select if(e.created_at < utc_timestamp(3) - interval 1 minute, e.seq, null)
               from outbox_event e force index (primary)
              where e.tenant_id = t.id and e.seq > coalesce(c.seq, 0) order by e.seq limit 1) as first
          from tenant t join (:consumers) n
          left join event_consumer c on c.tenant_id = t.id and c.consumer = n.name where t.id in (:items)`,
    },
    wrong: 'first is not null',
  },
  {
    kind: 'CONSUMER_AHEAD',
    invariant: 'I7',
    means: 'A consumer has passed the last event, so it will miss the next ones.',
    remedy: "Set its row in `event_consumer` to the tenant's last number; the counter was set back by hand.",
    facts: {
      name: 'logs',
      rows: 'TENANT',
      sql: `select c.tenant_id as id, c.consumer as subject, c.seq
          from event_consumer c join (:consumers) n on n.name = c.consumer
          left join outbox_counter o on o.tenant_id = c.tenant_id
         where c.tenant_id in (:items) and c.seq > coalesce(o.last_seq, 0)`,
    },
  },
  { ...NUMBER_MISSING, facts: GAPS },
  {
    ...NUMBER_MISSING,
    facts: {
      name: 'logs',
      rows: 'TENANT',
      // Without events all of them were too old.
      sql: `select t.id, cast(coalesce(o.last_seq, 0) as char) as subject, coalesce(o.last_seq, 0) as given,
            (select max(seq) from outbox_event e where e.tenant_id = t.id) as highest
          from tenant t left join outbox_counter o on o.tenant_id = t.id where t.id in (:items)`,
    },
    wrong: 'highest <> given',
  },
];
