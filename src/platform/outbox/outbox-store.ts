import type { MikroORM } from '@mikro-orm/core';
import { compareIds, type Id } from '../ids.js';
import { systemEm, tenantEm, type Em } from '../database/orm.js';
import type { Transactions } from '../database/transaction.js';
import { EVENT_COLUMNS, toPublished, type EventRow } from './event-row.js';
import type { PublishedEvent } from './published-event.js';

/** Events that one transaction numbers, and one call publishes, at most. */
export const OUTBOX_BATCH_MAX = 500;

export interface NumberedBatch {
  readonly events: readonly PublishedEvent[];
  /** How far publication had come when these were numbered. */
  readonly publishedSeq: number;
}

/**
 * What the relay reads and writes: a handful of statements for each batch, never one for each event, and rows instead
 * of entities, because every redemption's events pass through here.
 */
export class OutboxStore {
  constructor(
    private readonly orm: MikroORM,
    private readonly transactions: Transactions,
  ) {}

  /** Tenants with events that have no number yet; a jump through the index from tenant to tenant. */
  async tenantsToNumber(): Promise<string[]> {
    return this.tenants('select distinct tenant_id from outbox_event where seq is null');
  }

  /** Tenants with numbered events that nobody has published: a relay crashed, or publication failed. */
  async tenantsBehind(): Promise<string[]> {
    return this.tenants('select tenant_id from outbox_counter where published_seq < last_seq');
  }

  /** Events that wait for publication, numbered or not, of all tenants. */
  async countPending(): Promise<number> {
    const em = systemEm(this.orm);
    const [behind] = await em.execute<[{ events: number }]>(
      'select cast(coalesce(sum(last_seq - published_seq), 0) as double) as events from outbox_counter',
    );
    const tenantIds = await this.tenantsToNumber();
    if (tenantIds.length === 0) return behind.events;
    const sql = 'select count(*) as events from outbox_event where seq is null and tenant_id in (?)';
    const [unnumbered] = await em.execute<[{ events: number }]>(sql, [tenantIds]);
    return behind.events + unnumbered.events;
  }

  /**
   * Gives the next events of a tenant their numbers, in the order of their ids. Uncommitted events are locked by
   * those who write them and are skipped; they get a later number once they are there. Two relays at once are
   * safe: the counter's row lock lets one after the other number, without gaps.
   */
  async number(tenantId: string): Promise<NumberedBatch> {
    return this.transactions.run(tenantId, async (em) => {
      const rows = await lockPending(em, tenantId);
      if (rows.length === 0) return { events: [], publishedSeq: 0 };
      const { lastSeq, publishedSeq } = await advanceCounter(em, tenantId, rows.length);
      const firstSeq = lastSeq - rows.length + 1;
      const ids = rows.map((row) => row.id);
      await writeSeqs(em, tenantId, ids, firstSeq);
      return { events: rows.map((row, at) => toPublished(tenantId, row, firstSeq + at)), publishedSeq };
    });
  }

  /** Numbered events that are yet to be published, in order. */
  async unpublished(tenantId: string): Promise<readonly PublishedEvent[]> {
    const rows = await tenantEm(this.orm, tenantId).execute<(EventRow & { seq: number })[]>(
      `select ${EVENT_COLUMNS}, seq from outbox_event
       where tenant_id = ? and seq > (select published_seq from outbox_counter where tenant_id = ?)
       order by seq limit ${OUTBOX_BATCH_MAX}`,
      [tenantId, tenantId],
    );
    return rows.map((row) => toPublished(tenantId, row, row.seq));
  }

  /** Only ever moves forward, so a relay that comes late changes nothing. */
  async markPublished(tenantId: string, seq: number): Promise<void> {
    const sql = 'update outbox_counter set published_seq = ? where tenant_id = ? and published_seq < ?';
    await systemEm(this.orm).execute(sql, [seq, tenantId, seq]);
  }

  private async tenants(sql: string): Promise<string[]> {
    const rows = await systemEm(this.orm).execute<{ tenant_id: string }[]>(sql);
    return rows.map((row) => row.tenant_id);
  }
}

/**
 * The index is forced: through the primary key the search would lock every event that was ever published. It yields
 * events by id; an ORDER BY would make the server sort, and lock, the whole backlog for each batch.
 */
async function lockPending(em: Em, tenantId: string): Promise<EventRow[]> {
  const rows = await em.execute<EventRow[]>(
    `select ${EVENT_COLUMNS} from outbox_event force index (uq_outbox_event__tenant_seq)
     where tenant_id = ? and seq is null limit ${OUTBOX_BATCH_MAX} for update skip locked`,
    [tenantId],
  );
  return rows.toSorted((a, b) => compareIds(a.id, b.id));
}

async function advanceCounter(
  em: Em,
  tenantId: string,
  by: number,
): Promise<{ lastSeq: number; publishedSeq: number }> {
  await em.execute(
    `insert into outbox_counter (tenant_id, last_seq, published_seq) values (?, ?, 0)
     on duplicate key update last_seq = last_seq + ?`,
    [tenantId, by, by],
  );
  const [row] = await em.execute<[{ last_seq: number; published_seq: number }]>(
    'select last_seq, published_seq from outbox_counter where tenant_id = ?',
    [tenantId],
  );
  return { lastSeq: row.last_seq, publishedSeq: row.published_seq };
}

/** One statement for the batch; the position in the JSON array is the position in the sequence. */
async function writeSeqs(em: Em, tenantId: string, ids: readonly Id[], firstSeq: number): Promise<void> {
  await em.execute(
    `update json_table(?, '$[*]' columns (position for ordinality, id bigint unsigned path '$')) numbered
     straight_join outbox_event event on event.tenant_id = ? and event.id = numbered.id
     set event.seq = ? + numbered.position`,
    [JSON.stringify(ids), tenantId, firstSeq - 1],
  );
}
