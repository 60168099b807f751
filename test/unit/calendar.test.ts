import { assert, constantFrom, integer, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addUnits, isQuantity, LAST_INSTANT_MS } from '../../src/rewards/calendar.js';
import { TIME_UNITS, type TimeUnit } from '../../src/rewards/time-unit.js';

const at = (text: string) => Date.parse(text);
const plus = (start: string, unit: TimeUnit, quantity: number) => {
  const end = addUnits(at(start), unit, quantity);
  return end === null ? null : new Date(end).toISOString();
};

const DAY_MS = 86_400_000;
const MONTHS = { MONTH: 1, QUARTER: 3, HALF_YEAR: 6, YEAR: 12 } as const;
const calendarUnits = constantFrom(...(Object.keys(MONTHS) as (keyof typeof MONTHS)[]));
const starts = integer({ min: at('2000-01-01T00:00:00Z'), max: at('2200-01-01T00:00:00Z') });

describe('S0.2 the calendar', () => {
  it.each([
    ['2026-01-31T10:20:30.456Z', 'MINUTE', 1, '2026-01-31T10:21:30.456Z'],
    ['2026-12-31T23:59:00.000Z', 'MINUTE', 90, '2027-01-01T01:29:00.000Z'],
    ['2026-02-28T23:00:00.000Z', 'HOUR', 1, '2026-03-01T00:00:00.000Z'],
    ['2028-02-28T00:00:00.000Z', 'DAY', 1, '2028-02-29T00:00:00.000Z'],
    ['2027-02-28T00:00:00.000Z', 'DAY', 1, '2027-03-01T00:00:00.000Z'],
    ['2026-03-28T12:00:00.000Z', 'DAY', 7, '2026-04-04T12:00:00.000Z'],
    ['2027-01-31T08:00:00.000Z', 'MONTH', 1, '2027-02-28T08:00:00.000Z'],
    ['2028-01-31T08:00:00.000Z', 'MONTH', 1, '2028-02-29T08:00:00.000Z'],
    ['2026-01-31T00:00:00.000Z', 'MONTH', 2, '2026-03-31T00:00:00.000Z'],
    ['2026-08-31T00:00:00.000Z', 'MONTH', 1, '2026-09-30T00:00:00.000Z'],
    ['2026-12-31T23:59:59.999Z', 'MONTH', 1, '2027-01-31T23:59:59.999Z'],
    ['2026-11-30T00:00:00.000Z', 'QUARTER', 1, '2027-02-28T00:00:00.000Z'],
    ['2026-05-31T00:00:00.000Z', 'QUARTER', 2, '2026-11-30T00:00:00.000Z'],
    ['2026-08-31T00:00:00.000Z', 'HALF_YEAR', 1, '2027-02-28T00:00:00.000Z'],
    ['2026-08-31T00:00:00.000Z', 'HALF_YEAR', 3, '2028-02-29T00:00:00.000Z'],
    ['2028-02-29T00:00:00.000Z', 'YEAR', 1, '2029-02-28T00:00:00.000Z'],
    ['2028-02-29T00:00:00.000Z', 'YEAR', 4, '2032-02-29T00:00:00.000Z'],
    ['2099-02-28T00:00:00.000Z', 'YEAR', 1, '2100-02-28T00:00:00.000Z'],
    ['2026-01-31T00:00:00.000Z', 'NO_LIMIT', 1, null],
    ['2026-01-31T00:00:00.000Z', 'NO_LIMIT', 12, null],
  ] as const)('%s + %s x %i is %s', (start, unit, quantity, end) => {
    expect(plus(start, unit, quantity)).toBe(end);
  });

  it('keeps the time of day and the day of the month, or takes the last day of a shorter month', () => {
    assert(
      property(starts, calendarUnits, integer({ min: 1, max: 100 }), (startMs, unit, quantity) => {
        const start = new Date(startMs);
        const end = new Date(addUnits(startMs, unit, quantity) ?? Number.NaN);
        const months = start.getUTCMonth() + MONTHS[unit] * quantity;
        const lastDay = new Date(Date.UTC(start.getUTCFullYear(), months + 1, 0)).getUTCDate();
        expect(end.getUTCFullYear() * 12 + end.getUTCMonth()).toBe(start.getUTCFullYear() * 12 + months);
        expect(end.getUTCDate()).toBe(Math.min(start.getUTCDate(), lastDay));
        expect(end.getTime() % DAY_MS).toBe(startMs % DAY_MS);
      }),
    );
  });

  it('adds units of fixed length exactly, whatever the zone of the machine', () => {
    const fixed = constantFrom(
      ['MINUTE', 60_000] as const,
      ['HOUR', 3_600_000] as const,
      ['DAY', DAY_MS] as const,
    );
    assert(
      property(starts, fixed, integer({ min: 1, max: 36_500 }), (startMs, [unit, lengthMs], quantity) => {
        expect(addUnits(startMs, unit, quantity)).toBe(startMs + lengthMs * quantity);
      }),
    );
  });

  it('never moves an end backwards, and more moves it further', () => {
    const ending = constantFrom(...TIME_UNITS.filter((unit) => unit !== 'NO_LIMIT'));
    assert(
      property(starts, ending, integer({ min: 1, max: 99 }), (startMs, unit, quantity) => {
        const less = addUnits(startMs, unit, quantity) ?? 0;
        expect(less).toBeGreaterThan(startMs);
        expect(addUnits(startMs, unit, quantity + 1)).toBeGreaterThan(less);
      }),
    );
  });

  it('stops at the last instant that the database can hold', () => {
    expect(addUnits(at('9999-06-01T00:00:00Z'), 'YEAR', 100)).toBe(LAST_INSTANT_MS);
    expect(addUnits(LAST_INSTANT_MS, 'MONTH', 1)).toBe(LAST_INSTANT_MS);
    expect(addUnits(0, 'YEAR', 10_000)).toBe(LAST_INSTANT_MS);
    expect(addUnits(0, 'YEAR', Number.MAX_SAFE_INTEGER)).toBe(LAST_INSTANT_MS);
    expect(addUnits(0, 'NO_LIMIT', Number.MAX_SAFE_INTEGER)).toBeNull();
  });
});

describe('an anchor day', () => {
  const months = (start: string, steps: readonly number[], day: number): string[] => {
    let ms = at(start);
    return steps.map((quantity) => {
      ms = addUnits(ms, 'MONTH', quantity, day) ?? 0;
      return new Date(ms).toISOString().slice(0, 10);
    });
  };

  it('is returned to after a shorter month: 31 January + 1 MONTH + 1 MONTH is 31 March', () => {
    expect(months('2026-01-31T08:00:00Z', [1, 1, 1, 1], 31)).toEqual([
      '2026-02-28',
      '2026-03-31',
      '2026-04-30',
      '2026-05-31',
    ]);
  });

  it('makes steps of one month end where one of as many ends, from every day of four years', () => {
    for (let day = 0; day < 1461; day += 1) {
      const start = new Date(at('2026-01-01T12:00:00Z') + day * 86_400_000);
      const steps = months(start.toISOString(), [1, 1, 1, 1, 1], start.getUTCDate());
      const once = new Date(addUnits(start.getTime(), 'MONTH', 5) ?? 0).toISOString();
      expect([start, steps.at(-1)]).toEqual([start, once.slice(0, 10)]);
    }
  });

  it('counts for years, too, and for no unit of fixed length', () => {
    const leap = addUnits(at('2027-02-28T00:00:00Z'), 'YEAR', 1, 29);
    expect(new Date(leap ?? 0).toISOString()).toBe('2028-02-29T00:00:00.000Z');
    const days = addUnits(at('2026-02-28T00:00:00Z'), 'DAY', 1, 31);
    expect(new Date(days ?? 0).toISOString()).toBe('2026-03-01T00:00:00.000Z');
  });
});

describe('S0.2 quantities', () => {
  it.each([0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])(
    '%d is refused for every unit',
    (quantity) => {
      for (const unit of TIME_UNITS) {
        expect(isQuantity(unit, quantity)).toBe(false);
        expect(() => addUnits(0, unit, quantity)).toThrow(/no quantity/);
      }
    },
  );

  it('takes a hundred years of each unit and not one more', () => {
    const start = at('2001-01-01T00:00:00Z');
    for (const [unit, most] of [
      ['MINUTE', 52_560_000],
      ['DAY', 36_500],
      ['MONTH', 1200],
      ['YEAR', 100],
    ] as const) {
      expect(isQuantity(unit, most)).toBe(true);
      expect(isQuantity(unit, most + 1)).toBe(false);
      expect(new Date(addUnits(start, unit, most) ?? 0).getUTCFullYear()).toBeGreaterThanOrEqual(2100);
    }
  });

  it.each([-1, 1.5, Number.NaN, LAST_INSTANT_MS + 1])('no instant: %d', (startMs) => {
    expect(() => addUnits(startMs, 'DAY', 1)).toThrow(/no instant/);
  });
});
