import type { EntityName, FilterQuery, FindOptions } from '@mikro-orm/core';
import type { Em } from './orm.js';

/** Rows to pass over, and rows of the page. */
export interface PageRange {
  readonly offset: number;
  readonly size: number;
}

export interface Page<Row> {
  readonly total: number;
  readonly items: Row[];
}

/**
 * One page, newest first, with the exact total. One statement after the other, so that a list takes one connection and
 * one processor of the server at a time; where the page shows the end, the total follows from it.
 */
export async function findPage<T extends object>(
  em: Em,
  entity: EntityName<T>,
  where: FilterQuery<NoInfer<T>>,
  { offset, size }: PageRange,
  options: FindOptions<T> = {},
): Promise<Page<T>> {
  const newestFirst = { id: 'desc' } as NonNullable<FindOptions<T>['orderBy']>;
  // The type of a condition goes by an entity's named indexes, which are not known of any entity.
  const items = await em.find(entity, where as never, {
    orderBy: newestFirst,
    ...options,
    limit: size,
    offset,
    disableIdentityMap: true,
  });
  const isEnd = items.length < size && (items.length > 0 || offset === 0);
  return { total: isEnd ? offset + items.length : await em.count(entity, where, filtersOf(options)), items };
}

function filtersOf<T extends object>({ filters }: FindOptions<T>): Pick<FindOptions<T>, 'filters'> {
  return filters === undefined ? {} : { filters };
}
