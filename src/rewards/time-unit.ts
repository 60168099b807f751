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
/** How the schema describes it. */
export const TIME_UNIT_DESCRIPTION =
  'Calendar units clamp to the end of the month: 31 January + 1 MONTH is 28 or 29 February. NO_LIMIT never ends.';
export type TimeUnit = (typeof TIME_UNITS)[number];
