import type { MikroORM } from '@mikro-orm/core';
import { systemEm, tenantEm } from '../platform/database/orm.js';

/** So many rows are judged by one statement. */
export const PAGE = 1000;

/**
 * Reads rows for judging. Raw SQL, because a statement that joins and counts sees one instant of the database: what
 * is being committed is there with all its parts or not at all, so it raises no alarm.
 */
export class Rows {
  constructor(private readonly orm: MikroORM) {}

  async read<Row>(tenantId: string, sql: string, params: readonly unknown[]): Promise<Row[]> {
    return tenantEm(this.orm, tenantId).execute(sql, [tenantId, ...params]);
  }

  /**
   * Pages of a tenant's keys in the order of an index.
   * @param sql takes the tenant and the last key, answers the next keys as `item`, at most {@link PAGE}
   */
  async *pages(tenantId: string, sql: string, first: string = '0'): AsyncGenerator<readonly string[]> {
    for (let last = first; ;) {
      const rows = await this.read<{ item: string }>(tenantId, sql, [last]);
      const end = rows.at(-1);
      if (end === undefined) return;
      yield rows.map((row) => row.item);
      if (rows.length < PAGE) return;
      last = end.item;
    }
  }

  /** Pages of a table's ids. @param table and condition are the program's own, never input */
  idPages(tenantId: string, table: string, condition = 'true'): AsyncGenerator<readonly string[]> {
    return this.pages(
      tenantId,
      `select cast(t.id as char) as item from \`${table}\` t force index (primary)
        where t.tenant_id = ? and t.id > cast(? as unsigned) and ${condition} order by t.id limit ${PAGE}`,
    );
  }

  async *tenantPages(): AsyncGenerator<readonly string[]> {
    for (let last = ''; ;) {
      const rows = await systemEm(this.orm).execute<{ id: string }[]>(
        `select id from tenant where id > ? order by id limit ${PAGE}`,
        [last],
      );
      const end = rows.at(-1);
      if (end === undefined) return;
      yield rows.map((row) => row.id);
      last = end.id;
    }
  }

  async hasTenant(tenantId: string): Promise<boolean> {
    return (await this.read(tenantId, 'select 1 as one from tenant where id = ?', [])).length > 0;
  }
}
