/** One enum of units everywhere, in order of length. */
export const TIME_UNITS = [
  'MINUTE',
  'HOUR',
  'DAY',
  'MONTH',
  'QUARTER',
  'HALF_YEAR',
  'YEAR',
  'NO_LIMIT',
] as const;
export type TimeUnit = (typeof TIME_UNITS)[number];
