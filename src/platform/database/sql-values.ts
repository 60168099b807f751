/** A DATETIME(3) as the driver gives it in raw rows: text in UTC. */
export type SqlInstant = string | null;

export function instantOf(text: SqlInstant): Date | null {
  return text === null ? null : new Date(`${text.replace(' ', 'T')}Z`);
}

/** A condition "contains this text", in capitals or not, for a column in small letters; LIKE's wildcards mean themselves. */
export function likePart(part: string): { $like: string } {
  return { $like: `%${part.toLowerCase().replace(/[\\%_]/g, String.raw`\$&`)}%` };
}
