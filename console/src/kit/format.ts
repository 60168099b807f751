const counts = new Intl.NumberFormat('en');
const TIME = { dateStyle: 'medium', timeStyle: 'short' } as const;
const times = new Intl.DateTimeFormat('en-GB', TIME);
const exactTimes = new Intl.DateTimeFormat('en-GB', { dateStyle: 'full', timeStyle: 'long' });
const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

export const countText = (value: number): string => counts.format(value);
const moments = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });
export const secondText = (iso: string): string => moments.format(new Date(iso));
/** By the clock of a time zone; without one by that of the browser. */
export function timeText(iso: string, timeZone?: string): string {
  const format = timeZone === undefined ? times : new Intl.DateTimeFormat('en-GB', { ...TIME, timeZone });
  return format.format(new Date(iso));
}

export const exactTimeText = (iso: string): string => exactTimes.format(new Date(iso));

/** A decimal as the server writes it, with its thousands grouped and cents in pairs; no digit is rounded away. */
export function moneyText(amount: string, currency: string | null): string {
  const [whole = '0', fraction] = amount.split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  const text = fraction === undefined ? grouped : `${grouped}.${fraction.padEnd(2, '0')}`;
  return currency === null ? text : `${text} ${currency}`;
}

/** Powers of a thousand, to three digits. */
export function bytesText(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), BYTE_UNITS.length - 1);
  return `${Number((bytes / 1000 ** power).toPrecision(3))} ${BYTE_UNITS[power] ?? 'B'}`;
}

/** A value of an enum as a person reads it: HALF_YEAR is "Half year". */
export function labelOf(value: string): string {
  const words = value.toLowerCase().replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Seconds as a person says them: "45 s", "3 min", "2 h 5 min". */
export function durationText(seconds: number): string {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
