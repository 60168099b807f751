import type { EntityName, FilterQuery, FindOptions } from '@mikro-orm/core';
import type { Id } from '../ids.js';
import type { Em } from './orm.js';

/** Which part of a list is asked for: a page by its number, or what follows a row. */
export interface PageRange {
  /** Rows to pass over; of no effect with `afterId`. */
  readonly offset: number;
  readonly size: number;
  /** Only what follows this row, so that rows that arrive meanwhile move nothing. */
  readonly afterId?: Id | null;
  /** The oldest row first; missing means the newest. */
  readonly isOldestFirst?: boolean | undefined;
  /** Whether the total is needed; missing means that it is. */
  readonly isCounted?: boolean;
}

export interface Page<Row> {
  /** 0 where it was not asked for. */
  readonly total: number;
  readonly items: Row[];
  /** The last row of the page, if others follow: `afterId` of the next page. */
  readonly next: Id | null;
}

export const EMPTY_PAGE: Page<never> = { total: 0, items: [], next: null };

/**
 * One page in the order of ids, with the exact total. One statement after the other, so that a list takes one connection and
 * one processor of the server at a time; where the page shows the end, the total follows from it.
 */
export async function findPage<T extends { id: Id }>(
  em: Em,
  entity: EntityName<T>,
  where: FilterQuery<NoInfer<T>>,
  { offset, size, afterId = null, isOldestFirst = false, isCounted = true }: PageRange,
  options: FindOptions<T> = {},
): Promise<Page<T>> {
  const orderBy = { id: isOldestFirst ? 'asc' : 'desc' } as NonNullable<FindOptions<T>['orderBy']>;
  const beyond = isOldestFirst ? { $gt: afterId } : { $lt: afterId };
  const rest = afterId === null ? where : { $and: [where, { id: beyond }] };
  // The type of a condition goes by an entity's named indexes, which are not known of any entity.
  const found = await em.find(entity, rest as never, {
    orderBy,
    ...options,
    limit: size + 1,
    offset: afterId === null ? offset : 0,
    disableIdentityMap: true,
  });
  const { items, next } = cutPage(found, size);
  const isEnd = next === null && afterId === null && (items.length > 0 || offset === 0);
  const count = async (): Promise<number> => em.count(entity, where, filtersOf(options));
  const total = isEnd ? offset + items.length : isCounted ? await count() : 0;
  return { total, items, next: options.orderBy === undefined ? next : null };
}

/** A page of rows of which one more than its size was read: that one says whether others follow. */
export function cutPage<Row extends { readonly id: Id }>(
  found: Row[],
  size: number,
): { readonly items: Row[]; readonly next: Id | null } {
  const items = found.slice(0, size);
  return { items, next: found.length > size ? (items.at(-1)?.id ?? null) : null };
}

function filtersOf<T extends object>({ filters }: FindOptions<T>): Pick<FindOptions<T>, 'filters'> {
  return filters === undefined ? {} : { filters };
}
