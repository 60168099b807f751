import { isSet } from '../platform/assert.js';
import { DomainError } from '../platform/errors.js';
import { instant } from '../platform/input.js';
import { dayNumberOf, startOfDay } from '../platform/zoned-time.js';

type End = Date | null | undefined;

/** A window as it is asked for: by instants, or by whole days of the tenant. */
export interface WindowWanted {
  readonly startsAt?: End;
  readonly endsAt?: End;
  readonly startsOn?: string | undefined;
  readonly lastDay?: string | undefined;
}

/**
 * The window in instants; what is not asked for stays undefined. A day begins when its date begins in the zone, and the
 * window ends when the date behind its last day begins: after 23 or 25 hours, where clocks are changed that day.
 * @throws DomainError WINDOW_NOT_ALLOWED
 */
export function windowOf(wanted: WindowWanted, zone: string): { startsAt: End; endsAt: End } {
  return {
    startsAt: oneOf(wanted, 'startsAt', 'startsOn', (day) => startOfDay(day, zone)),
    endsAt: oneOf(wanted, 'endsAt', 'lastDay', (day) => startOfDay(day + 1, zone)),
  };
}

/** @throws DomainError WINDOW_NOT_ALLOWED */
export function assertWindow({ startsAt, endsAt }: { readonly startsAt: End; readonly endsAt: End }): void {
  if (!isSet(startsAt) || !isSet(endsAt) || startsAt < endsAt) return;
  refuse('The end must lie after the beginning.', 'endsAt');
}

function oneOf(
  wanted: WindowWanted,
  end: 'startsAt' | 'endsAt',
  day: 'startsOn' | 'lastDay',
  instantOf: (day: number) => number,
): End {
  const number = dayNumberOf(wanted[day] ?? '');
  if (number === null) return wanted[end];
  if (isSet(wanted[end])) refuse(`${day} must not be given together with ${end}.`, day);
  // The day behind the last one of 9999, or the first one of 1970 east of Greenwich.
  const { data } = instant.safeParse(new Date(instantOf(number)));
  return data ?? refuse(`${day} must lie between 1970 and 9999, in UTC too.`, day);
}

function refuse(message: string, field: string): never {
  throw new DomainError('WINDOW_NOT_ALLOWED', message, { field: ['input', field] });
}
