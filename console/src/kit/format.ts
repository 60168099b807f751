const counts = new Intl.NumberFormat('en');
const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** Texts of instants by the clock of a time zone, or else of the browser. A format costs more than its use. */
function clock(options: Intl.DateTimeFormatOptions): (iso: string, timeZone?: string) => string {
  const formats = new Map<string | undefined, Intl.DateTimeFormat>();
  return (iso, timeZone) => {
    const format = formats.get(timeZone) ?? new Intl.DateTimeFormat('en-GB', { ...options, timeZone });
    formats.set(timeZone, format);
    return format.format(new Date(iso));
  };
}

const DAY = { day: 'numeric', month: 'short', year: 'numeric' } as const;
const CLOCK = { hour: '2-digit', minute: '2-digit', timeZoneName: 'short' } as const;

export const timeText = clock({ dateStyle: 'medium', timeStyle: 'short' });
export const secondText = clock({ timeStyle: 'medium' });
export const exactTimeText = clock({ dateStyle: 'full', timeStyle: 'long' });
/** With the short name of the zone: "4 Oct 2026, 02:45 GMT+11". */
export const zonedTimeText: (iso: string, timeZone: string) => string = clock({ ...DAY, ...CLOCK });

export const countText = (value: number): string => counts.format(value);

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
