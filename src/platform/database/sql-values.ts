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

/** A condition "contains this text", in capitals or not, for a column in small letters; LIKE's wildcards mean themselves. */
export function likePart(part: string): { $like: string } {
  return { $like: `%${part.toLowerCase().replace(/[\\%_]/g, String.raw`\$&`)}%` };
}
