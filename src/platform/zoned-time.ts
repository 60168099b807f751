import { DateTime, IANAZone } from 'luxon';

const DAY_MS = 86_400_000;
export const UTC = 'UTC';

/** The clock on the wall in a zone. */
export interface WallTime {
  /** As `2026-12-24`. */
  readonly date: string;
  readonly year: number;
  readonly month: number;
  readonly day: number;
  /** From 1 (Monday) to 7 (Sunday). */
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
}

/** Whether it is a name of the IANA database, such as `Europe/Berlin`; not an offset such as `+01:00`. */
export function isTimeZone(name: string): boolean {
  return /^[A-Za-z][A-Za-z0-9_+\-/]{0,63}$/.test(name) && IANAZone.isValidZone(name);
}

export function wallTimeOf(instantMs: number, zone: string): WallTime {
  const { year, month, day, weekday, hour, minute } = inZone(instantMs, zone);
  return { date: dateText(year, month, day), year, month, day, weekday, hour, minute };
}

/** The day of an instant in a zone, as the number of its date: days since 1970-01-01. */
export function dayOf(instantMs: number, zone: string): number {
  if (zone === UTC) return Math.floor(instantMs / DAY_MS);
  const { year, month, day } = inZone(instantMs, zone);
  return Date.UTC(year, month - 1, day) / DAY_MS;
}

/**
 * The first instant of a date in a zone. Where clocks skip midnight it is the first instant behind the gap; of a date
 * that was skipped as a whole, the first of the next. So the day ends where the next one begins, after 23, 24 or 25 hours.
 */
export function startOfDay(day: number, zone: string): number {
  const startMs = day * DAY_MS;
  if (zone === UTC) return startMs;
  // The date begins within a day of its begin in UTC. Clocks are never set by more than that, so dates only rise.
  return firstWithin(startMs - DAY_MS, startMs + DAY_MS, (ms) => dayOf(ms, zone) >= day);
}

/** The number of a date such as `2026-12-24`; null where it is none between 1970 and 9999. */
export function dayNumberOf(text: string): number | null {
  const date = /^\d{4}-\d\d-\d\d$/.test(text) ? new Date(`${text}T00:00:00Z`) : null;
  const isDate = date !== null && !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
  return isDate && date.getTime() >= 0 ? date.getTime() / DAY_MS : null;
}

/** From an instant on, the clock on the wall is this far ahead of UTC. */
export interface ZoneOffset {
  readonly fromMs: number;
  readonly minutes: number;
}

/** The offsets of a zone between two instants; a zone that keeps its offset has one. */
export function offsetsOf(zone: string, fromMs: number, untilMs: number): ZoneOffset[] {
  if (zone === UTC) return [{ fromMs, minutes: 0 }];
  const offsets: ZoneOffset[] = [];
  for (let at = fromMs; at < untilMs; at += DAY_MS) {
    const minutes = inZone(at, zone).offset;
    const last = offsets.at(-1)?.minutes;
    if (minutes === last) continue;
    const changedMs =
      last === undefined ? fromMs : firstWithin(at - DAY_MS, at, (ms) => inZone(ms, zone).offset !== last);
    offsets.push({ fromMs: changedMs, minutes });
  }
  return offsets;
}

/** The first whole millisecond behind `before`, `within` at the latest, of which it is true; from there on it stays so. */
function firstWithin(before: number, within: number, isTrue: (ms: number) => boolean): number {
  let [no, yes] = [before, within];
  while (yes - no > 1) {
    const middle = Math.floor((no + yes) / 2);
    if (isTrue(middle)) yes = middle;
    else no = middle;
  }
  return yes;
}

function inZone(instantMs: number, zone: string): DateTime {
  return DateTime.fromMillis(instantMs, { zone });
}

const twoDigits = (part: number): string => String(part).padStart(2, '0');

const dateText = (year: number, month: number, day: number): string =>
  `${String(year).padStart(4, '0')}-${twoDigits(month)}-${twoDigits(day)}`;
