import type { MikroORM } from '@mikro-orm/core';
import { systemEm } from '../database/orm.js';

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

  /** Only ever forward, so a process that lost the lock and comes late changes nothing. */
  async move(tenantId: string, name: string, seq: number): Promise<void> {
    await systemEm(this.orm).execute(
      `insert into event_consumer (tenant_id, consumer, seq) values (?, ?, ?)
         on duplicate key update seq = greatest(seq, values(seq))`,
      [tenantId, name, seq],
    );
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
}
