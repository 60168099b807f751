import type { EntityName } from '@mikro-orm/core';
import { firstIdAt, type Id } from '../ids.js';
import { cutPage, type Page, type PageRange } from './find-page.js';
import type { Em } from './orm.js';
import { filterBound } from './sql-values.js';

export interface Condition {
  readonly sql: string;
  readonly params: readonly unknown[];
}

/** One way to rows of a list: an index that has them in the order of the list. */
export interface Way extends Condition {
  /** The tables to read, with the index that leads to the rows. `sql` is the condition on them. */
  readonly from: string;
  readonly fromParams?: readonly unknown[];
  /** The column of the rows' ids. */
  readonly id: string;
  /** What the index has in order, where that is not the id: a column, and its value in the row of an id. */
  readonly by?: { readonly column: string; readonly of: (id: Id) => Condition };
}

/** A condition with its parameters; false where it is not asked for. */
export type Wish = readonly [sql: string, ...params: unknown[]] | false;

/** A way, and the conditions that belong to its index. */
export type Route = Omit<Way, 'sql' | 'params'> & { readonly wishes?: readonly Wish[] };

/** The rows of one table in the order of their ids, by an index that has them so behind what the wishes name. */
export function routeBy(table: string, alias: string, index: string, ...wishes: readonly Wish[]): Route {
  return { from: `\`${table}\` ${alias} force index (${index})`, id: `${alias}.id`, wishes };
}

/** @param others what all ways of the list have to meet */
export function wayOf({ wishes = [], ...route }: Route, others: readonly Wish[]): Way {
  const asked = [...wishes, ...others].filter((wish) => wish !== false);
  return {
    ...route,
    sql: asked.map(([sql]) => sql).join(' and '),
    params: asked.flatMap(([, ...params]) => params),
  };
}

/** The rows of a page of ids, in their order. */
export async function rowsOfPage<T extends { id: Id }>(
  em: Em,
  entity: EntityName<T>,
  page: Page<{ readonly id: Id }>,
): Promise<Page<T>> {
  const ids = page.items.map(({ id }) => id);
  // The type of a condition goes by an entity's named indexes, which are not known of any entity.
  const rows = await em.find(entity, { id: { $in: ids } } as never, { disableIdentityMap: true });
  const byId = new Map(rows.map((row) => [row.id, row]));
  return { ...page, items: ids.flatMap((id) => byId.get(id) ?? []) };
}

/** One page of ids with its total, which follows from the page where that shows the end. */
export async function pageOfWays(
  em: Em,
  ways: readonly Way[],
  range: PageRange,
  count = async (): Promise<number> => countOfWays(em, ways),
): Promise<Page<{ readonly id: Id }>> {
  const { items, next } = await pageOfIds(em, ways, range);
  const { offset, afterId = null, isCounted = true } = range;
  const isEnd = next === null && afterId === null && (items.length > 0 || offset === 0);
  return { total: isEnd ? offset + items.length : isCounted ? await count() : 0, items, next };
}

/**
 * The ids of one page. No row may be found by two of the ways. Each is read as far as the page reaches, so that a page
 * costs what it shows, however many rows fit. Raw SQL, because the indexes are forced.
 */
async function pageOfIds(
  em: Em,
  ways: readonly Way[],
  range: PageRange,
): Promise<Omit<Page<{ readonly id: Id }>, 'total'>> {
  const { offset, size, afterId = null, isOldestFirst = false } = range;
  const direction = isOldestFirst ? 'asc' : 'desc';
  const skipped = afterId === null ? offset : 0;
  if (ways.length === 0) return { items: [], next: null };
  const parts = ways.map((way) => partOf(way, range));
  const [only] = parts;
  const isOne = parts.length === 1 && only !== undefined;
  const sql = isOne
    ? `${only.sql} limit ? offset ?`
    : `select id from (${parts.map((part) => `(${part.sql} limit ?)`).join(' union all ')}) found
        order by found.place ${direction} limit ? offset ?`;
  const reach = skipped + size + 1;
  const params = parts.flatMap((part) => (isOne ? part.params : [...part.params, reach]));
  const found = await em.execute<{ id: Id }[]>(sql, [...params, size + 1, skipped]);
  return cutPage(found, size);
}

/** How many rows the ways lead to. */
export async function countOfWays(em: Em, ways: readonly Way[]): Promise<number> {
  let total = 0;
  for (const { from, fromParams = [], sql, params } of ways) {
    const rows = await em.execute<[{ total: number | string }]>(
      `select count(*) as total from ${from} where ${sql}`,
      [...fromParams, ...params],
    );
    total += Number(rows[0].total);
  }
  return total;
}

function partOf(way: Way, { afterId = null, isOldestFirst = false }: PageRange): Condition {
  const place = way.by?.column ?? way.id;
  const [direction, beyond] = isOldestFirst ? ['asc', '>'] : ['desc', '<'];
  const after = afterId === null ? null : (way.by?.of(afterId) ?? { sql: '?', params: [afterId] });
  const rest = after === null ? '' : ` and ${place} ${beyond} ${after.sql}`;
  return {
    sql: `select cast(${way.id} as char) as id, ${place} as place from ${way.from}
      where ${way.sql}${rest} order by ${place} ${direction}`,
    params: [...(way.fromParams ?? []), ...way.params, ...(after?.params ?? [])],
  };
}

/** Ids and instants of rows whose ids are made shortly before or after their instants; clocks differ, too. */
const ID_FROM_INSTANT_MS_MAX = 10 * 60_000;

/** Half-open, by the instant of the rows; their ids lead to them. A bound may lie where no column holds it. */
export function timesOfRows(
  columns: { readonly id: string; readonly at: string },
  filter: { readonly from?: Date | null | undefined; readonly before?: Date | null | undefined },
): Wish[] {
  const { id, at } = columns;
  const [from, before] = [filterBound(filter.from), filterBound(filter.before)];
  return [
    from ? [`${id} >= ? and ${at} >= ?`, firstIdAt(from.getTime() - ID_FROM_INSTANT_MS_MAX), from] : false,
    before
      ? [`${id} < ? and ${at} < ?`, firstIdAt(before.getTime() + ID_FROM_INSTANT_MS_MAX), before]
      : false,
  ];
}
