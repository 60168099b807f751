const DAY_MS = 86_400_000;

interface Times {
  readonly from?: Date;
  readonly before?: Date;
}

/** From the first, up to but without the second; all where there are no bounds. */
export interface WholeDays {
  readonly days?: readonly [from: number, before: number];
}

interface Parts {
  /** Null where none lies within. */
  readonly whole: WholeDays | null;
  readonly rest: readonly Times[];
}

/** The whole days (UTC) of a half-open time, and what of it lies before and behind them. */
export function daysWithin(from: Date | undefined, before: Date | undefined): Parts {
  if (from === undefined && before === undefined) return { whole: {}, rest: [] };
  const first = from === undefined ? 0 : Math.ceil(from.getTime() / DAY_MS);
  const end = before === undefined ? DAYS_END : Math.floor(before.getTime() / DAY_MS);
  if (first >= end) return { whole: null, rest: [timesOf(from, before)] };
  const ahead = from !== undefined && startOf(first) > from ? [timesOf(from, startOf(first))] : [];
  const behind = before !== undefined && startOf(end) < before ? [timesOf(startOf(end), before)] : [];
  return { whole: { days: [first, end] }, rest: [...ahead, ...behind] };
}

/** Beyond every day that a column holds. */
const DAYS_END = 2 ** 31;

const startOf = (day: number): Date => new Date(day * DAY_MS);

function timesOf(from: Date | undefined, before: Date | undefined): Times {
  return { ...(from !== undefined && { from }), ...(before !== undefined && { before }) };
}
