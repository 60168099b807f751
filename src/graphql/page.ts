import { GraphQLError } from 'graphql';
import { ArgsType, Field, ID, Int, ObjectType, type ClassType } from 'type-graphql';

import { isId, type Id } from '../platform/ids.js';
import { enumFromValues } from './enums.js';
import { nullable } from './nullable.js';
import { readPageSize, SIZE_DEFAULT } from './page-size.js';

/**
 * An argument behind an accessor. type-graphql takes a decorated accessor for a computed field of an answer, so its
 * descriptor is kept from it; it then assigns what the caller sent, and the setter puts it in order.
 */
function argument(type: object, description: string) {
  return (prototype: object, key: string): void =>
    Field(() => type, { nullable: true, description })(prototype, key);
}

/**
 * The arguments of a list, read as they are meant: a size that is missing or 0 is 15, one above 500 is 500,
 * and a page before the first is the first.
 */
@ArgsType()
export class PageArgs {
  private pageNo = 1;
  private pageSize = SIZE_DEFAULT;

  @argument(Int, 'From 1; missing means 1.')
  get page(): number {
    return this.pageNo;
  }
  set page(requested: number | null | undefined) {
    this.pageNo = Math.max(requested ?? 1, 1);
  }

  @argument(Int, 'Missing or 0 means 15; 500 at most.')
  get size(): number {
    return this.pageSize;
  }
  set size(requested: number | null | undefined) {
    this.pageSize = readPageSize(requested);
  }

  /** Rows to pass over before this page. */
  get offset(): number {
    return (this.pageNo - 1) * this.pageSize;
  }
}

/** The arguments of a list that can also be read row after row. */
@ArgsType()
export class ListArgs extends PageArgs {
  private given: Id | null = null;

  @argument(
    ID,
    'The `next` of a page: answers the rows that follow it, whatever was added meanwhile. `page` is then of no effect.',
  )
  get after(): Id | null {
    return this.given;
  }
  set after(requested: string | null | undefined) {
    if (requested !== null && requested !== undefined && !isId(requested)) throw malformedCursor();
    this.given = requested ?? null;
  }

  get afterId(): Id | null {
    return this.given;
  }
}

const SORT_ORDERS = ['NEWEST_FIRST', 'OLDEST_FIRST'] as const;
type SortOrder = (typeof SORT_ORDERS)[number];
const SortOrderEnum = enumFromValues(
  'SortOrder',
  SORT_ORDERS,
  'The order of a list, by when its rows were made.',
);

/** The arguments of a list that an index has in both directions. */
@ArgsType()
export class SortedListArgs extends ListArgs {
  private order: SortOrder = 'NEWEST_FIRST';

  @argument(
    SortOrderEnum,
    'Missing means NEWEST_FIRST. Keep it while you give the `next` of a page as `after`.',
  )
  get sort(): SortOrder {
    return this.order;
  }
  set sort(requested: SortOrder | null | undefined) {
    this.order = requested ?? 'NEWEST_FIRST';
  }

  get isOldestFirst(): boolean {
    return this.order === 'OLDEST_FIRST';
  }
}

function malformedCursor(): GraphQLError {
  return new GraphQLError('`after` must be the `next` of an earlier page, as it was given.', {
    extensions: { code: 'CURSOR_MALFORMED' },
  });
}

export interface PageOf<T extends object> {
  /** All rows that fit the filter, not only this page's. */
  total: number;
  items: T[];
}

export interface ListPageOf<T extends object> extends PageOf<T> {
  /** For `after`, to get the next page; null at the end. */
  next: Id | null;
}

/** Makes the page type of a list, e.g. `export const CodePageType = pageOf(CodeType, 'CodePage')`. */
export function pageOf<T extends object>(item: ClassType<T>, name: string): ClassType<PageOf<T>> {
  @ObjectType(name, { description: 'One page of a list, newest first.' })
  class Page implements PageOf<T> {
    @Field(() => Int, { description: 'All rows that fit the filter.' })
    total!: number;

    @Field(() => [item])
    items!: T[];
  }
  return Page;
}

/** The same for a list that takes {@link ListArgs}. */
export function listPageOf<T extends object>(item: ClassType<T>, name: string): ClassType<ListPageOf<T>> {
  const Page = pageOf(item, name);
  Field(() => ID, nullable('For `after`, to get the next page; null at the end.'))(Page.prototype, 'next');
  return Page as ClassType<ListPageOf<T>>;
}
