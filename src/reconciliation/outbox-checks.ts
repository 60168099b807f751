import type { Clock } from '../platform/clock.js';
import { instantOfId } from '../platform/ids.js';
import { instantOf, type SqlInstant } from '../platform/database/sql-values.js';
import { finding, type Check, type DatabaseChecks, type Finding } from './drift.js';
import type { Rows } from './rows.js';

/** So old an event may be before it is missed among the published ones. */
const UNPUBLISHED_MS = 60_000;
/** Numbers are looked through in stretches of so many. */
const STRETCH = 10_000;
const RETENTION_MARGIN_MS = 3_600_000;

const CHECKS = [
  {
    kind: 'EVENT_UNPUBLISHED',
    invariant: 'I7',
    holder: 'DATABASE',
    means: 'Events wait for their publication for more than a minute.',
    remedy: 'See that a process with the role worker or all runs, and what its log says of the outbox relay.',
  },
  {
    kind: 'EVENT_NUMBER_MISSING',
    invariant: 'I7',
    holder: 'DATABASE',
    means: 'Numbers of events are missing, so a cursor may lead past an event.',
    remedy: 'Events were deleted by hand: bring them back from a backup, or tell clients to read anew.',
  },
] as const satisfies readonly Check[];

const PENDING = 'pending';

const SELECT_PENDING = `select cast(min(id) as char) as first, count(*) as events
    from outbox_event force index (uq_outbox_event__tenant_seq)
   where tenant_id = ? and seq is null and created_at < ?`;
const SELECT_BEHIND = `select cast(min(e.id) as char) as first, count(*) as events from outbox_counter c
    join outbox_event e force index (uq_outbox_event__tenant_seq)
      on e.tenant_id = c.tenant_id and e.seq > c.published_seq
   where c.tenant_id = ? and e.created_at < ?`;
const SELECT_ENDS = `select (select min(seq) from outbox_event where tenant_id = ?) as first,
    (select max(seq) from outbox_event where tenant_id = ?) as highest,
    (select last_seq from outbox_counter where tenant_id = ?) as given`;
const STRETCH_OF = `from outbox_event force index (uq_outbox_event__tenant_seq)
   where tenant_id = ? and seq between ? and ?`;
const SELECT_NEWEST = 'select cast(max(id) as char) as id from outbox_event where tenant_id = ?';

interface Ends {
  readonly first: number | null;
  readonly highest: number | null;
  readonly given: number | null;
}

/** The numbering and the publication of a tenant's events. */
export class OutboxChecks implements DatabaseChecks {
  readonly name = 'eventNumbers';
  readonly checks = CHECKS;

  constructor(
    private readonly rows: Rows,
    private readonly clock: Clock,
    private readonly retentionMs: number,
  ) {}

  async *pages(tenantId: string): AsyncGenerator<readonly string[]> {
    yield [PENDING];
    const [ends] = await this.rows.read<Ends>(tenantId, SELECT_ENDS, [tenantId, tenantId]);
    if (ends === undefined || ends.first === null) return;
    const last = Math.max(ends.highest ?? 0, ends.given ?? 0);
    for (let from = ends.first; from <= last; from += STRETCH) {
      yield [`${from}-${Math.min(from + STRETCH - 1, last)}`];
    }
  }

  async judge(tenantId: string, items: readonly string[]): Promise<Finding[]> {
    const found: Finding[] = [];
    for (const item of items) {
      if (item === PENDING) found.push(...(await this.pending(tenantId)));
      else found.push(...(await this.missing(tenantId, item)));
    }
    return found;
  }

  private async pending(tenantId: string): Promise<Finding[]> {
    const before = new Date(this.clock.nowMs() - UNPUBLISHED_MS);
    type Waiting = { readonly first: string | null; readonly events: number };
    const unnumbered = await this.rows.read<Waiting>(tenantId, SELECT_PENDING, [before]);
    const behind = await this.rows.read<Waiting>(tenantId, SELECT_BEHIND, [before]);
    return [...unnumbered, ...behind].flatMap(({ first, events }) =>
      first === null ? [] : [finding('EVENT_UNPUBLISHED', PENDING, { events }, first)],
    );
  }

  private async missing(tenantId: string, stretch: string): Promise<Finding[]> {
    const [from = 0, to = 0] = stretch.split('-').map(Number);
    const count = `select count(*) as events ${STRETCH_OF}`;
    const [counted] = await this.rows.read<{ events: number }>(tenantId, count, [from, to]);
    if (counted?.events === to - from + 1) return [];
    const sql = `select seq, created_at as createdAt ${STRETCH_OF} order by seq`;
    type Numbered = { readonly seq: number; readonly createdAt: SqlInstant };
    const rows = await this.rows.read<Numbered>(tenantId, sql, [from, to]);
    const [newest] = await this.rows.read<{ id: string | null }>(tenantId, SELECT_NEWEST, []);
    // What is removed because of its age goes by the age, and not by the number.
    const since = this.clock.nowMs() - this.retentionMs + RETENTION_MARGIN_MS;
    const ends = [
      ...rows.map(({ seq, createdAt }) => ({ seq, atMs: instantOf(createdAt)?.getTime() ?? 0 })),
      { seq: to + 1, atMs: instantOfId(newest?.id ?? '0') },
    ];
    return gapsBefore(from, ends)
      .filter(({ beforeMs }) => beforeMs > since)
      .map(({ first, numbers }) => finding('EVENT_NUMBER_MISSING', stretch, { numbers }, String(first)));
  }
}

function gapsBefore(from: number, ends: readonly { readonly seq: number; readonly atMs: number }[]) {
  let next = from;
  return ends.flatMap(({ seq, atMs }) => {
    const gap = { first: next, numbers: seq - next, beforeMs: atMs };
    next = seq + 1;
    return gap.numbers > 0 ? [gap] : [];
  });
}
