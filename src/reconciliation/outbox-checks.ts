import { finding, type Check, type DatabaseChecks, type Finding } from './drift.js';
import { PAGE, type Rows } from './rows.js';

const CHECKS = [
  {
    kind: 'EVENT_UNHANDLED',
    invariant: 'I7',
    holder: 'DATABASE',
    means: 'Events wait for one of their consumers for more than a minute.',
    remedy: 'See that a process with the role worker or all runs, and what its log says of the consumer.',
  },
  {
    kind: 'CONSUMER_AHEAD',
    invariant: 'I7',
    holder: 'DATABASE',
    means: 'A consumer has passed the last event, so it will miss the next ones.',
    remedy: "Set its row in `event_consumer` to the tenant's last number; the counter was set back by hand.",
  },
  {
    kind: 'EVENT_NUMBER_MISSING',
    invariant: 'I7',
    holder: 'DATABASE',
    means: 'Numbers of events are missing, so a cursor may lead past an event.',
    remedy: 'Events were deleted by hand: bring them back from a backup, or tell clients to read anew.',
  },
  {
    kind: 'EVENT_WITHOUT_REDEMPTION',
    invariant: 'I5',
    holder: 'DATABASE',
    means: 'The outbox tells of a redemption as committed that is not there, or was given up.',
    remedy: 'Both are written by one transaction: find out what removed the redemption.',
  },
] as const satisfies readonly Check[];

/** Stands for the tenant's log as a whole among the numbers of its events. */
const LOG = 'log';

/** Consumers of which one has come to the log of any tenant, and the first event that waits for each. */
const SELECT_UNHANDLED = `select names.consumer, min(e.seq) as first
    from (select distinct consumer from event_consumer union select 'any' where not exists
      (select 1 from event_consumer)) names
    left join event_consumer c on c.tenant_id = ? and c.consumer = names.consumer
    join outbox_event e force index (primary) on e.tenant_id = ? and e.seq = coalesce(c.seq, 0) + 1
   where e.created_at < utc_timestamp(3) - interval 1 minute group by names.consumer`;
const SELECT_AHEAD = `select c.consumer, c.seq from event_consumer c
    left join outbox_counter o on o.tenant_id = c.tenant_id
   where c.tenant_id = ? and c.seq > coalesce(o.last_seq, 0)`;
const SELECT_ENDS = `select cast(coalesce((select last_seq from outbox_counter where tenant_id = ?), 0) as unsigned) as given,
    (select max(seq) from outbox_event where tenant_id = ?) as highest`;
/** What is removed because of its age is removed from the low end. */
const SELECT_GAPS = `select cast(e.seq as char) as id from outbox_event e force index (primary)
   where e.tenant_id = ? and e.seq in (?)
     and e.seq > (select min(seq) from outbox_event where tenant_id = e.tenant_id)
     and not exists (select 1 from outbox_event before_it
       where before_it.tenant_id = e.tenant_id and before_it.seq = e.seq - 1)`;
const SELECT_ALONE = `select cast(e.seq as char) as id, json_value(e.payload, '$.redemptionId') as redemptionId
    from outbox_event e force index (primary)
    left join redemption r on r.tenant_id = e.tenant_id and r.id = e.subject_id and r.status <> 'ABORTED'
   where e.tenant_id = ? and e.seq in (?) and e.type = 'redemption_settled'
     and json_value(e.payload, '$.status') = 'COMMITTED' and r.id is null`;

/** The events of a tenant, by their numbers. */
export class OutboxChecks implements DatabaseChecks {
  readonly name = 'events';
  readonly checks = CHECKS;

  constructor(private readonly rows: Rows) {}

  async *pages(tenantId: string): AsyncGenerator<readonly string[]> {
    yield [LOG];
    yield* this.rows.pages(
      tenantId,
      `select cast(seq as char) as item from outbox_event e force index (primary)
        where e.tenant_id = ? and e.seq > cast(? as unsigned) order by e.seq limit ${PAGE}`,
    );
  }

  async judge(tenantId: string, items: readonly string[]): Promise<Finding[]> {
    const seqs = items.filter((item) => item !== LOG);
    const ofLog = seqs.length === items.length ? [] : await this.log(tenantId);
    return seqs.length === 0 ? ofLog : [...ofLog, ...(await this.events(tenantId, seqs))];
  }

  private async log(tenantId: string): Promise<Finding[]> {
    type Consumer = { readonly consumer: string; readonly first?: number; readonly seq?: number };
    const unhandled = await this.rows.read<Consumer>(tenantId, SELECT_UNHANDLED, [tenantId]);
    const ahead = await this.rows.read<Consumer>(tenantId, SELECT_AHEAD, []);
    type Ends = { readonly given: number; readonly highest: number | null };
    const ends = await this.rows.read<Ends>(tenantId, SELECT_ENDS, [tenantId]);
    // Without events all of them were too old.
    const broken = ends.filter(({ given, highest }) => highest !== null && highest !== given);
    return [
      ...unhandled.map(({ consumer, first = 0 }) => finding('EVENT_UNHANDLED', LOG, { first }, consumer)),
      ...ahead.map(({ consumer, seq = 0 }) => finding('CONSUMER_AHEAD', LOG, { seq }, consumer)),
      ...broken.map((details) => finding('EVENT_NUMBER_MISSING', LOG, details, String(details.given))),
    ];
  }

  private async events(tenantId: string, seqs: readonly string[]): Promise<Finding[]> {
    const gaps = await this.rows.read<{ id: string }>(tenantId, SELECT_GAPS, [seqs]);
    type Alone = { readonly id: string; readonly redemptionId: string };
    const alone = await this.rows.read<Alone>(tenantId, SELECT_ALONE, [seqs]);
    return [
      ...gaps.map(({ id }) => finding('EVENT_NUMBER_MISSING', id)),
      ...alone.map(({ id, ...details }) => finding('EVENT_WITHOUT_REDEMPTION', id, details)),
    ];
  }
}
