/** A DATETIME(3) as the driver gives it in raw rows: text in UTC. */
export type SqlInstant = string | null;

export function instantOf(text: SqlInstant): Date | null {
  return text === null ? null : new Date(`${text.replace(' ', 'T')}Z`);
}
