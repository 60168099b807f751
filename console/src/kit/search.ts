import * as z from 'zod/mini';
// By its name: taken out of `z`, the whole library with its texts in 50 languages would be loaded.
import { catch as otherwise } from 'zod/mini';

/** Rows of a page: more than a hundred take a browser seconds to lay out. */
export const PAGE_SIZES = [25, 50, 100] as const;
const SIZE_DEFAULT = 50;

/** A value that does not fit is dropped: an address that somebody has edited still opens the page. */
const lenient = <Schema extends z.ZodMiniType>(schema: Schema) => otherwise(z.optional(schema), undefined);

/** A filter that takes any text. */
export const textFilter = () => lenient(z.string());
/** A filter that takes one of these. */
export const choiceFilter = <const Values extends readonly string[]>(values: Values) =>
  lenient(z.enum(values));

/** The days of a list: its first and its last one, as `PeriodFilter` writes them. */
export const periodFilter = () => ({ from: textFilter(), to: textFilter() });

const paging = {
  page: lenient(z.coerce.number().check(z.int(), z.minimum(1))),
  size: lenient(z.coerce.number().check(z.refine((size) => PAGE_SIZES.some((each) => each === size)))),
  /** The `next` of the page before. */
  after: textFilter(),
  sort: textFilter(),
};

/** The search parameters of a list: its page, its order, and its own filters. */
export const listSearch = <Shape extends z.core.$ZodLooseShape>(filters: Shape) =>
  z.object({ ...paging, ...filters });

export interface ListSearch {
  readonly page?: number | undefined;
  readonly size?: number | undefined;
  readonly after?: string | undefined;
  /** A column, with a minus before it for descending order. */
  readonly sort?: string | undefined;
}

export const sizeOf = ({ size = SIZE_DEFAULT }: ListSearch): number => size;
export const pageOf = ({ page = 1 }: ListSearch): number => page;

/** The arguments of the server's lists. */
export function pageVariables(search: ListSearch) {
  return { page: pageOf(search), size: sizeOf(search), after: search.after ?? null };
}

/** The argument of lists that the server sorts by their time, whose column has the sort `time`. */
export const timeOrderOf = ({ sort }: ListSearch) =>
  ({ sort: sort === 'time' ? 'OLDEST_FIRST' : 'NEWEST_FIRST' }) as const;

interface Period {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** The instants of a period for the server's filters; null for no bound, or for a text that is no day. */
export function periodOf({ from, to }: Period) {
  return { from: instantOf(from, 0), before: instantOf(to, 1) };
}

/** The first instant of a day, or of one later. */
function instantOf(day: string | undefined, later: number): string | null {
  const [, year, month, date] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(day ?? '') ?? [];
  if (year === undefined) return null;
  return new Date(Number(year), Number(month) - 1, Number(date) + later).toISOString();
}
