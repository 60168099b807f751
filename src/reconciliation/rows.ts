import type { MikroORM } from '@mikro-orm/core';
import { tenantEm } from '../platform/database/orm.js';
import type { RowPages } from '../platform/database/row-check.js';
import { consumerTable } from '../platform/outbox/consumer-cursors.js';

/** How many rows one page holds. */
const PAGE = 1000;

/**
 * Reads rows for judging. Raw SQL, because a statement that joins and counts sees one instant of the database: what
 * is being committed is there with all its parts or not at all, so it raises no alarm.
 */
export class Rows {
  /** @param consumers Of events; complete when all modules are composed. */
  constructor(
    private readonly orm: MikroORM,
    private readonly consumers: readonly { readonly name: string }[],
  ) {}

  /** @param sql takes the tenant first */
  async read<Row>(tenantId: string, sql: string, params: readonly unknown[]): Promise<Row[]> {
    return tenantEm(this.orm, tenantId).execute(sql, [tenantId, ...params]);
  }

  /** @param sql takes `:tenant`, `(:items)` and `(:consumers)`, each perhaps several times */
  async judged<Row>(tenantId: string, sql: string, items: readonly string[]): Promise<Row[]> {
    // Numbers are written out: the ORM quotes them, and both servers compare text inside rows of columns as doubles.
    const tuples = items
      .filter((item) => item.includes('|'))
      .map((item) => `(${item.split('|').map(BigInt).join(', ')})`);
    const consumers = this.consumers.map(({ name }) => name);
    const params: unknown[] = [];
    const text = sql.replace(/:(tenant|items|consumers)\b/g, (_, name) => {
      if (name === 'consumers') {
        params.push(...consumers);
        return consumerTable(consumers);
      }
      if (name === 'items' && tuples.length > 0) return tuples.join(', ');
      params.push(name === 'tenant' ? tenantId : items);
      return '?';
    });
    return tenantEm(this.orm, tenantId).execute(text, params);
  }

  /** Pages of a tenant's keys in the order of an index. */
  async *pages(tenantId: string, rows: RowPages): AsyncGenerator<readonly string[]> {
    if (rows === 'TENANT') {
      yield [tenantId];
      return;
    }
    const { table, key = ['id'], index = 'primary', repeats = false, condition = 'true' } = rows;
    const columns = key.map((column) => `t.${column}`).join(', ');
    const sql = (last: readonly string[]): string => `
      select ${repeats ? 'distinct ' : ''}concat_ws('|', ${columns}) as item, ${columns}
        from \`${table}\` t force index (${index})
       where t.tenant_id = :tenant and ${isAfter(key, last)} and ${condition} order by ${columns} limit ${PAGE}`;
    for (let last = key.map(() => '0'); ;) {
      const page = await this.judged<{ item: string }>(tenantId, sql(last), []);
      const end = page.at(-1);
      if (end === undefined) return;
      yield page.map(({ item }) => item);
      if (page.length < PAGE) return;
      last = end.item.split('|');
    }
  }
}

/** Whether a row's key comes after these values. Spelled out, because the servers use no index for `(a, b) > (1, 2)`. */
function isAfter(
  [column = '', ...others]: readonly string[],
  [value = '', ...rest]: readonly string[],
): string {
  const isBehind = `t.${column} > ${BigInt(value)}`;
  return others.length === 0
    ? isBehind
    : `(${isBehind} or (t.${column} = ${BigInt(value)} and ${isAfter(others, rest)}))`;
}
