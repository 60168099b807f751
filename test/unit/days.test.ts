import { describe, expect, it } from 'vitest';
import { daysWithin } from '../../src/redemption/history/days.js';

const DAY_MS = 86_400_000;
const at = (days: number): Date => new Date(days * DAY_MS);

describe('a time is counted', () => {
  it('by no day and no row where it is unbounded', () => {
    expect(daysWithin(undefined, undefined)).toEqual({ whole: {}, rest: [] });
  });

  it.each([
    ['whole days', 3, 5, [3, 5], []],
    [
      'a part before and a part behind',
      2.5,
      5.25,
      [3, 5],
      [
        [2.5, 3],
        [5, 5.25],
      ],
    ],
    ['an empty time', 2.5, 2.5, null, [[2.5, 2.5]]],
    ['a time within a day', 2.25, 2.75, null, [[2.25, 2.75]]],
    ['a time that ends before it begins', 4, 2, null, [[4, 2]]],
    ['a time around midnight', 2.5, 3.5, null, [[2.5, 3.5]]],
  ] as const)('%s', (_title, from, before, days, rest) => {
    const times = rest.map(([start, end]) => ({ from: at(start), before: at(end) }));
    expect(daysWithin(at(from), at(before))).toEqual({ whole: days && { days }, rest: times });
  });

  it('without a begin or an end by all days there are', () => {
    expect(daysWithin(undefined, at(2.5))).toEqual({
      whole: { days: [0, 2] },
      rest: [{ from: at(2), before: at(2.5) }],
    });
    const { whole, rest } = daysWithin(at(2.5), undefined);
    expect(whole?.days?.[0]).toBe(3);
    expect(rest).toEqual([{ from: at(2.5), before: at(3) }]);
  });

  it('each instant of it once', () => {
    for (let step = 0; step < 400; step += 1) {
      const [from, before] = [step / 40, (step * 7) % 10];
      const { whole, rest } = daysWithin(at(from), at(before));
      for (let instant = 0; instant < 10; instant += 0.125) {
        const [first, end] = whole?.days ?? [0, 0];
        const byDays = Number(instant >= first && instant < end);
        const byRest = rest.filter(
          (each) => at(instant) >= (each.from ?? at(0)) && at(instant) < (each.before ?? at(99)),
        );
        expect(byDays + byRest.length).toBe(Number(instant >= from && instant < before));
      }
    }
  });
});
