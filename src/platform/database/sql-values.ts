/** A DATETIME(3) as the driver gives it in raw rows: text in UTC. */
export type SqlInstant = string | null;

export function instantOf(text: string): Date;
export function instantOf(text: SqlInstant): Date | null;
export function instantOf(text: SqlInstant): Date | null {
  return text === null ? null : new Date(`${text.replace(' ', 'T')}Z`);
}

/** An instant as a DATETIME(3) takes it: text in UTC. */
export function sqlInstant(ms: number): string {
  return new Date(ms).toISOString().slice(0, -1).replace('T', ' ');
}

const LAST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/**
 * The bound of a filter as a DATETIME(3) can hold it. An offset leads beyond the year 9999 or before the year 0, and
 * MySQL fails to compare a column with such an instant, where MariaDB only warns.
 */
export function filterBound(instant: Date | null | undefined): Date | null {
  return instant ? new Date(Math.min(Math.max(instant.getTime(), 0), LAST_MS)) : null;
}

/** A condition "contains this text", in capitals or not, for a column in small letters; LIKE's wildcards mean themselves. */
export function likePart(part: string): { $like: string } {
  return { $like: `%${part.toLowerCase().replace(/[\\%_]/g, String.raw`\$&`)}%` };
}
