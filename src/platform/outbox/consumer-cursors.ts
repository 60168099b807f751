import type { MikroORM, QueryResult } from '@mikro-orm/core';
import { systemEm } from '../database/orm.js';
import { LeaseLostError, WHILE_HELD, type Fence } from '../leases/fence.js';
import { instantOf, type SqlInstant } from '../database/sql-values.js';

/**
 * How far a consumer has come: `e` is its cursor, `c` the tenant's counter. A new consumer, and one that was away for
 * longer than events are kept, begins with the oldest event that is left.
 */
const SEQ = `cast(greatest(coalesce(e.seq, 0), coalesce((select min(o.seq) - 1 from outbox_event o
  where o.tenant_id = c.tenant_id), c.last_seq)) as signed)`;

/** The consumers of this version as a table; no other cursor counts. */
export function consumerTable(names: readonly string[]): string {
  const rows = names.map(() => 'select ? collate utf8mb4_bin as name');
  return rows.length === 0 ? 'select null as name from dual where false' : rows.join(' union all ');
}

interface Position {
  readonly seq: number;
  readonly lastSeq: number;
  /** Whether its cursor says so: until then old events stay, and the tenant is behind. */
  readonly isStored: boolean;
}

/** How far a consumer is behind the log of a tenant. */
export interface ConsumerLag {
  readonly consumer: string;
  /** Events behind its cursor, also those that it will pass over. */
  readonly waiting: number;
  /** When the first of them was committed; null where none waits. */
  readonly since: Date | null;
}

/** The cursors of this version's consumers in the logs of all tenants. */
export class ConsumerCursors {
  constructor(
    private readonly orm: MikroORM,
    private readonly names: readonly string[],
  ) {}

  async position(tenantId: string, name: string): Promise<Position> {
    const [row] = await systemEm(this.orm).execute<
      { seq: number; lastSeq: number; storedSeq: number | null }[]
    >(
      `select ${SEQ} as seq, c.last_seq as lastSeq, e.seq as storedSeq from outbox_counter c
         left join event_consumer e on e.tenant_id = c.tenant_id and e.consumer = ? where c.tenant_id = ?`,
      [name, tenantId],
    );
    return row === undefined
      ? { seq: 0, lastSeq: 0, isStored: true }
      : { seq: row.seq, lastSeq: row.lastSeq, isStored: row.storedSeq !== null && row.storedSeq >= row.seq };
  }

  /**
   * Only ever forward.
   * @throws LeaseLostError from a process that has lost the tenant and comes late
   */
  async move(tenantId: string, name: string, seq: number, fence: Fence): Promise<void> {
    const { affectedRows } = await systemEm(this.orm).execute<QueryResult>(
      `insert into event_consumer (tenant_id, consumer, seq) select ?, ?, ? ${WHILE_HELD}
         on duplicate key update seq = greatest(seq, values(seq))`,
      [tenantId, name, seq, ...fence.params],
      'run',
    );
    if (affectedRows === 0) throw new LeaseLostError(fence.name);
  }

  async tenantsBehind(): Promise<string[]> {
    if (this.names.length === 0) return [];
    const rows = await systemEm(this.orm).execute<{ tenantId: string }[]>(
      `select c.tenant_id as tenantId from outbox_counter c
        where (select count(*) from event_consumer e
                where e.tenant_id = c.tenant_id and e.consumer in (?) and e.seq >= c.last_seq) < ?`,
      [this.names, this.names.length],
    );
    return rows.map(({ tenantId }) => tenantId);
  }

  /** Events that wait for the slowest consumer of their tenant, of all tenants. */
  async pending(): Promise<number> {
    const [row] = await systemEm(this.orm).execute<[{ events: number }]>(
      `select cast(coalesce(sum(waiting), 0) as double) as events from (
         select max(cast(c.last_seq as signed) - ${SEQ}) as waiting
           from outbox_counter c join (${consumerTable(this.names)}) n
           left join event_consumer e on e.tenant_id = c.tenant_id and e.consumer = n.name
          group by c.tenant_id) of_tenants where waiting > 0`,
      [...this.names],
    );
    return row.events;
  }

  /** How far each consumer is behind the log of one tenant. */
  async lags(tenantId: string): Promise<ConsumerLag[]> {
    const rows = await systemEm(this.orm).execute<{ name: string; waiting: number; since: SqlInstant }[]>(
      `select p.name, cast(greatest(p.last_seq - p.seq, 0) as double) as waiting,
          (select o.created_at from outbox_event o where o.tenant_id = ? and o.seq = p.seq + 1) as since
        from (select n.name, cast(c.last_seq as signed) as last_seq, ${SEQ} as seq
          from outbox_counter c join (${consumerTable(this.names)}) n
          left join event_consumer e on e.tenant_id = c.tenant_id and e.consumer = n.name
         where c.tenant_id = ?) p`,
      [tenantId, ...this.names, tenantId],
    );
    const byName = new Map(rows.map((row) => [row.name, row]));
    return this.names.map((consumer) => {
      const { waiting = 0, since = null } = byName.get(consumer) ?? {};
      return { consumer, waiting, since: instantOf(since) };
    });
  }
}
