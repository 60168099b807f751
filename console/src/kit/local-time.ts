const DAY_MS = 86_400_000;

/** An instant of the server as a field of type `datetime-local` takes it: by the clock of a time zone; empty for none. */
export function localTime(iso: string | null, zone: string): string {
  return iso === null ? '' : new Date(wallMs(Date.parse(iso), zone)).toISOString().slice(0, 16);
}

/**
 * What such a field holds, as the server takes it; null for an empty one. A time that comes twice is the first of the
 * two, and one that clocks skip lies as far behind the gap.
 * @param was the instant that the field was filled with: while the field shows the same, it stays, with its seconds
 */
export function instantOf(local: string, zone: string, was: string | null = null): string | null {
  if (local === '') return null;
  if (was !== null && localTime(was, zone) === local) return was;
  const wall = Date.parse(`${local}Z`);
  // A year of more than four digits: the server says that it is none.
  if (Number.isNaN(wall)) return local;
  // By the offset of the day before, or of the day after.
  const by = (dayMs: number): number => wall - (wallMs(wall + dayMs, zone) - (wall + dayMs));
  const there = [by(-DAY_MS), by(DAY_MS)].filter((ms) => wallMs(ms, zone) === wall);
  return new Date(there.length > 0 ? Math.min(...there) : by(-DAY_MS)).toISOString();
}

/** What the clock of a zone shows, as if it were in UTC; to the second. */
function wallMs(ms: number, zone: string): number {
  const clock = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' });
  const parts = clock.format(ms).split(/\D/).map(Number);
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second);
}
