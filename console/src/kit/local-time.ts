/** An instant of the server as a field of type `datetime-local` takes it: in the time zone of the browser; empty for none. */
export function localTime(iso: string | null): string {
  if (iso === null) return '';
  const date = new Date(iso);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** What such a field holds, as the server takes it; null for an empty one. */
export const instantOf = (local: string): string | null =>
  local === '' ? null : new Date(local).toISOString();
