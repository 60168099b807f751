import { ArgsType, Field, Int, ObjectType, type ClassType } from 'type-graphql';
import { readPageSize, SIZE_DEFAULT } from './page-size.js';

/**
 * An argument behind an accessor. type-graphql takes a decorated accessor for a computed field of an answer, so its
 * descriptor is kept from it; it then assigns what the caller sent, and the setter puts it in order.
 */
function wholeNumber(description: string) {
  return (prototype: object, key: string): void =>
    Field(() => Int, { nullable: true, description })(prototype, key);
}

/**
 * The arguments of a list, read as they are meant: a size that is missing or 0 is 15, one above 500 is 500,
 * and a page before the first is the first.
 */
@ArgsType()
export class PageArgs {
  private pageNo = 1;
  private pageSize = SIZE_DEFAULT;

  @wholeNumber('From 1; missing means 1.')
  get page(): number {
    return this.pageNo;
  }
  set page(requested: number | null | undefined) {
    this.pageNo = Math.max(requested ?? 1, 1);
  }

  @wholeNumber('Missing or 0 means 15; 500 at most.')
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

export interface PageOf<T extends object> {
  /** All rows that fit the filter, not only this page's. */
  total: number;
  items: T[];
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
