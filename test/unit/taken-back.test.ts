import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SubscriptionState } from '../../src/subscriptions/subscription-grant.js';
import { spentTime, takenBack } from '../../src/subscriptions/taken-back.js';

const DAY_MS = 86_400_000;
const NOW_MS = Date.UTC(2027, 2, 15);
const day = (n: number): Date => new Date(NOW_MS + n * DAY_MS);

const stateUntil = (end: number | null, more: Partial<SubscriptionState> = {}): SubscriptionState => ({
  id: '1',
  userId: '2',
  planId: '3',
  status: 'ACTIVE',
  expiresAtMs: end === null ? null : day(end).getTime(),
  anchorDay: null,
  trafficBytes: 0,
  trafficUsedBytes: 0,
  ...more,
});

/** Days from now until the subscription ends, its status, and the days that were spent. */
function after(state: SubscriptionState, from: number, until: number | null, isStarter = false) {
  const period = { from: day(from), until: until === null ? null : day(until) };
  const taken = takenBack(state, period, isStarter, NOW_MS);
  if (taken === null) return null;
  const { expiresAtMs, status } = taken.state;
  return [expiresAtMs === null ? null : (expiresAtMs - NOW_MS) / DAY_MS, status, taken.spentMs / DAY_MS];
}

describe('time that is taken back', () => {
  it('shortens a subscription by what the grant gave', () => {
    expect(after(stateUntil(60), 30, 60)).toEqual([30, 'ACTIVE', 0]);
  });

  it('leaves the time of other grants, whichever came first', () => {
    expect(after(stateUntil(50), -10, 20)).toEqual([20, 'ACTIVE', 0]);
  });

  it('ends a subscription of which nothing is left, and counts what has run as spent', () => {
    expect(after(stateUntil(20), -10, 20, true)).toEqual([0, 'DEDUCTED', 10]);
    expect(after(stateUntil(20), -10, 20, false)).toEqual([0, 'EXPIRED', 10]);
  });

  it('is all spent where the subscription has ended, or its traffic is used up', () => {
    expect(after(stateUntil(-1, { status: 'EXPIRED' }), -31, -1, true)).toEqual([-1, 'EXPIRED', 30]);
    expect(after(stateUntil(20, { status: 'FINISHED' }), -10, 20, true)).toEqual([20, 'FINISHED', 30]);
    const usedUp = { trafficBytes: 5, trafficUsedBytes: 5 };
    expect(after(stateUntil(20, usedUp), -10, 20, true)).toEqual([20, 'ACTIVE', 30]);
  });

  it('puts back the end that a grant without end took away', () => {
    expect(after(stateUntil(null), 30, null)).toEqual([30, 'ACTIVE', 0]);
    expect(after(stateUntil(null), -10, null, true)).toEqual([0, 'DEDUCTED', 10]);
  });

  it('is none where the grant changed no end', () => {
    expect(after(stateUntil(null), 5, 5)).toEqual([null, 'ACTIVE', 0]);
  });

  it('cannot be told where a grant without end and an end exclude each other', () => {
    expect(after(stateUntil(null), -10, 20)).toBeNull();
    expect(after(stateUntil(30), -10, null)).toBeNull();
  });

  it('moves the day that months return to, when the end does not lie on it any more', () => {
    const state = stateUntil(0, { anchorDay: 31, expiresAtMs: Date.UTC(2027, 4, 31) });
    const until = (month: number, date: number) => new Date(Date.UTC(2027, month, date));
    const month = takenBack(state, { from: until(3, 30), until: until(4, 31) }, false, NOW_MS);
    expect(month?.state).toMatchObject({ expiresAtMs: Date.UTC(2027, 3, 30), anchorDay: 31 });
    const days = takenBack(state, { from: until(4, 3), until: until(4, 31) }, false, NOW_MS);
    expect(days?.state).toMatchObject({ expiresAtMs: Date.UTC(2027, 4, 3), anchorDay: 3 });
  });

  it('and what is spent make up what was given, and no end is moved into the past', () => {
    const days = fc.integer({ min: -400, max: 400 });
    fc.assert(
      fc.property(
        days,
        days,
        fc.integer({ min: 0, max: 400 }),
        fc.boolean(),
        (end, from, given, isStarter) => {
          const state = stateUntil(end, end <= 0 ? { status: 'EXPIRED' } : {});
          const [left, status, spent] = after(state, from, from + given, isStarter) as [
            number,
            string,
            number,
          ];
          expect(end - left + spent).toBe(given);
          expect(left).toBeGreaterThanOrEqual(Math.min(end, 0));
          expect(status === 'ACTIVE').toBe(left > 0);
        },
      ),
    );
  });

  it.each([
    [DAY_MS - 1, 'MONTH', null],
    [DAY_MS, 'MONTH', '1 DAY'],
    [3 * DAY_MS + 5, 'NO_LIMIT', '3 DAY'],
    [3_599_999, 'HOUR', null],
    [7_200_000, 'HOUR', '2 HOUR'],
    [59_999, 'MINUTE', null],
    [120_000, 'MINUTE', '2 MINUTE'],
    [0, 'DAY', null],
  ] as const)('of %i ms is counted in whole days, hours or minutes of a %s', (ms, unit, words) => {
    expect(spentTime(ms, unit)).toBe(words);
  });
});
