import type { MikroORM } from '@mikro-orm/core';
import { tenantEm } from '../platform/database/orm.js';
import { instantOf, sqlInstant } from '../platform/database/sql-values.js';
import type { RowPages } from '../platform/database/row-check.js';
import { offsetsOf, UTC, type ZoneOffset } from '../platform/zoned-time.js';
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

  /** @param template takes `:tenant`, `(:items)`, `(:consumers)` and `:day(column)`, each perhaps several times */
  async judged<Row>(tenantId: string, template: string, items: readonly string[]): Promise<Row[]> {
    const sql = DAY.test(template) ? await this.withDays(tenantId, template) : template;
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

  /** The servers know zones only where their tables of zones are filled, so offsets are written out. */
  private async withDays(tenantId: string, template: string): Promise<string> {
    const [row] = await this.read<{ timeZone: string; now: string }>(
      tenantId,
      'select time_zone as timeZone, cast(now(3) as char) as now from tenant where id = ?',
      [],
    );
    const untilMs = (row === undefined ? FIRST_MS : instantOf(row.now).getTime()) + DAY_AHEAD_MS;
    const offsets = offsetsOf(row?.timeZone ?? UTC, FIRST_MS, untilMs);
    return template.replaceAll(DAYS, (_, column: string) => daySql(column, offsets));
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

/** The first id is of this year, so nothing is older. */
const FIRST_MS = Date.UTC(2024, 0, 1);
const DAY_AHEAD_MS = 86_400_000;
const DAY = /:day\(/;
const DAYS = /:day\(([\w.]+)\)/g;

/** Days since 1970-01-01 of the date that a clock shows which is set as the offsets say. */
function daySql(column: string, offsets: readonly ZoneOffset[]): string {
  const [first, ...later] = offsets;
  const whens = later
    .toReversed()
    .map(({ fromMs, minutes }) => `when ${column} >= '${sqlInstant(fromMs)}' then ${minutes}`);
  const minutes =
    whens.length === 0 ? (first?.minutes ?? 0) : `(case ${whens.join(' ')} else ${first?.minutes ?? 0} end)`;
  return `to_days(${column} + interval ${minutes} minute) - 719528`;
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
