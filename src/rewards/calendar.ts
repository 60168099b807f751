import { DateTime, type DurationLikeObject } from 'luxon';
import { invariant } from '../platform/assert.js';
import type { TimeUnit } from './time-unit.js';

/** One unit as the calendar knows it; null never ends. Months are added as months, so they clamp to the month's end. */
const UNIT_LENGTH: Readonly<Record<TimeUnit, DurationLikeObject | null>> = {
  MINUTE: { minutes: 1 },
  HOUR: { hours: 1 },
  DAY: { days: 1 },
  MONTH: { months: 1 },
  QUARTER: { months: 3 },
  HALF_YEAR: { months: 6 },
  YEAR: { years: 1 },
  NO_LIMIT: null,
};

/** A hundred years of each unit: more than that in one reward is a typing mistake. */
const QUANTITY_MAX: Readonly<Record<TimeUnit, number>> = {
  MINUTE: 52_560_000,
  HOUR: 876_000,
  DAY: 36_500,
  MONTH: 1200,
  QUARTER: 400,
  HALF_YEAR: 200,
  YEAR: 100,
  NO_LIMIT: 100,
};

/** The last instant that the database can hold; what is extended again and again stops here. */
export const LAST_INSTANT_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** Whether this quantity of a unit can be given at once. To be asked where a quantity comes in from outside. */
export function isQuantity(unit: TimeUnit, quantity: number): boolean {
  return Number.isSafeInteger(quantity) && quantity >= 1 && quantity <= QUANTITY_MAX[unit];
}

/**
 * The instant `quantity` units after another, in UTC; null means that it never ends. Calendar units keep the day
 * of the month where the month has it, else they take its last day: 31 January + 1 MONTH is 28 or 29 February.
 * What would end later than {@link LAST_INSTANT_MS} ends there, so that every reward of a code can be given.
 *
 * @param anchorDay the day of the month that calendar units return to, so that one month after 28 February, which was
 *   clamped from 31 January, is 31 March; null keeps the day of the start
 */
export function addUnits(
  startMs: number,
  unit: TimeUnit,
  quantity: number,
  anchorDay: number | null = null,
): number | null {
  invariant(
    Number.isSafeInteger(startMs) && startMs >= 0 && startMs <= LAST_INSTANT_MS,
    `${startMs} is no instant.`,
  );
  invariant(Number.isSafeInteger(quantity) && quantity >= 1, `${quantity} is no quantity.`);
  const length = UNIT_LENGTH[unit];
  if (length === null) return null;
  const whole = Object.fromEntries(Object.entries(length).map(([part, count]) => [part, count * quantity]));
  const end = DateTime.fromMillis(startMs, { zone: 'utc' }).plus(whole);
  if (!end.isValid) return LAST_INSTANT_MS;
  const anchored = anchorDay !== null && isCalendarUnit(unit) ? onDay(end, anchorDay) : end;
  return Math.min(anchored.toMillis(), LAST_INSTANT_MS);
}

function onDay(end: DateTime<true>, day: number): DateTime<true> {
  return end.set({ day: Math.min(day, end.daysInMonth) });
}

/** Whether an extension by months from this instant keeps the day: it is the day, or the last of a month that lacks it. */
export function isOnDay(instantMs: number, day: number): boolean {
  const instant = DateTime.fromMillis(instantMs, { zone: 'utc' });
  return instant.isValid && instant.day === Math.min(day, instant.daysInMonth);
}

/** Whether the unit is counted in months, whose lengths differ. */
export function isCalendarUnit(unit: TimeUnit): boolean {
  const length = UNIT_LENGTH[unit];
  return length !== null && ('months' in length || 'years' in length);
}

/** From 1, in UTC. */
export function dayOfMonth(instantMs: number): number {
  return new Date(instantMs).getUTCDate();
}
