import { describe, expect, it } from 'vitest';
import { assertWindow, windowOf } from '../../src/campaigns/campaign-window.js';
import {
  dayNumberOf,
  dayOf,
  isTimeZone,
  offsetsOf,
  startOfDay,
  wallTimeOf,
} from '../../src/platform/zoned-time.js';

const HOUR_MS = 3_600_000;
const at = (iso: string): number => Date.parse(iso);
const day = (text: string): number => dayNumberOf(text) ?? Number.NaN;
const startText = (date: string, zone: string): string => new Date(startOfDay(day(date), zone)).toISOString();

describe('a day in a zone', () => {
  it.each([
    ['UTC', '2026-03-29', '2026-03-29T00:00:00.000Z', 24],
    ['Europe/Berlin', '2026-03-29', '2026-03-28T23:00:00.000Z', 23],
    ['Europe/Berlin', '2026-10-25', '2026-10-24T22:00:00.000Z', 25],
    ['Europe/Berlin', '2026-10-26', '2026-10-25T23:00:00.000Z', 24],
    ['America/New_York', '2026-03-08', '2026-03-08T05:00:00.000Z', 23],
    ['America/New_York', '2026-11-01', '2026-11-01T04:00:00.000Z', 25],
    ['Pacific/Kiritimati', '2027-01-01', '2026-12-31T10:00:00.000Z', 24],
    ['Pacific/Pago_Pago', '2027-01-01', '2027-01-01T11:00:00.000Z', 24],
    ['Asia/Kolkata', '2026-06-01', '2026-05-31T18:30:00.000Z', 24],
    ['Australia/Lord_Howe', '2026-04-05', '2026-04-04T13:00:00.000Z', 24.5],
    ['Australia/Lord_Howe', '2026-10-04', '2026-10-03T13:30:00.000Z', 23.5],
    // Clocks skip midnight: the day begins at one.
    ['America/Santiago', '2026-09-06', '2026-09-06T04:00:00.000Z', 23],
    ['Africa/Cairo', '2026-04-24', '2026-04-23T22:00:00.000Z', 23],
    // Clocks are set back at midnight, into the day before.
    ['America/Santiago', '2026-04-04', '2026-04-04T03:00:00.000Z', 25],
    ['America/Havana', '2026-11-01', '2026-11-01T04:00:00.000Z', 25],
    // The date that Samoa skipped, and the one behind it.
    ['Pacific/Apia', '2011-12-30', '2011-12-30T10:00:00.000Z', 0],
    ['Pacific/Apia', '2011-12-31', '2011-12-30T10:00:00.000Z', 24],
  ])('of %s, %s begins at %s and has %d hours', (zone, date, begin, hours) => {
    expect(startText(date, zone)).toBe(begin);
    const [from, until] = [startOfDay(day(date), zone), startOfDay(day(date) + 1, zone)];
    expect((until - from) / HOUR_MS).toBe(hours);
    if (hours === 0) return;
    expect([from - 1, from, until - 1, until].map((ms) => dayOf(ms, zone) - day(date))).toEqual([
      expect.any(Number),
      0,
      0,
      1,
    ]);
    expect(dayOf(from - 1, zone)).toBeLessThan(day(date));
  });

  it.each(['America/Santiago', 'Australia/Lord_Howe', 'Pacific/Chatham'])(
    'of %s is counted by the offsets as by the clock on the wall, at every hour of a year',
    (zone) => {
      const [from, until] = [at('2026-01-01T00:00:00Z'), at('2027-01-01T00:00:00Z')];
      const offsets = offsetsOf(zone, from, until);
      let next = 0;
      for (let ms = from; ms < until; ms += HOUR_MS) {
        while ((offsets[next + 1]?.fromMs ?? Infinity) <= ms) next += 1;
        const minutes = offsets[next]?.minutes ?? 0;
        const byOffset = Math.floor((ms + minutes * 60_000) / (24 * HOUR_MS));
        if (byOffset !== dayOf(ms, zone)) throw new Error(`${zone} ${new Date(ms).toISOString()}`);
      }
      expect(offsets).toHaveLength(3);
    },
  );

  it('shows the clock on the wall', () => {
    expect(wallTimeOf(at('2026-12-24T17:30:00Z'), 'Asia/Kolkata')).toEqual({
      date: '2026-12-24',
      year: 2026,
      month: 12,
      day: 24,
      weekday: 4,
      hour: 23,
      minute: 0,
    });
    expect(wallTimeOf(at('2026-12-31T11:00:00Z'), 'Pacific/Kiritimati')).toMatchObject({
      date: '2027-01-01',
    });
  });

  it.each([
    ['Europe/Berlin', true],
    ['UTC', true],
    ['Etc/GMT+11', true],
    ['+01:00', false],
    ['Berlin', false],
    ['', false],
    [`Europe/${'x'.repeat(80)}`, false],
  ])('%s is a zone: %s', (name, isOne) => {
    expect(isTimeZone(name)).toBe(isOne);
  });

  it.each(['2026-02-29', '2026-13-01', '1969-12-31', '2026-1-1', '2026-01-01T00:00', ''])(
    '%s is no date',
    (text) => expect(dayNumberOf(text)).toBeNull(),
  );
});

describe('the window of a campaign', () => {
  it('is made of whole days of the tenant, the last one included', () => {
    const window = windowOf({ startsOn: '2026-10-25', lastDay: '2026-10-25' }, 'Europe/Berlin');
    expect(window).toEqual({
      startsAt: new Date('2026-10-24T22:00:00Z'),
      endsAt: new Date('2026-10-25T23:00:00Z'),
    });
    expect(windowOf({ startsAt: null, lastDay: '2026-03-29' }, 'UTC').startsAt).toBeNull();
    expect(windowOf({}, 'UTC')).toEqual({ startsAt: undefined, endsAt: undefined });
  });

  it('is refused where it ends before it begins, or says one end twice', () => {
    expect(() => assertWindow(windowOf({ startsOn: '2026-10-26', lastDay: '2026-10-25' }, 'UTC'))).toThrow(
      'The end must lie',
    );
    const twice = { startsAt: new Date(0), startsOn: '2026-10-26' };
    expect(() => windowOf(twice, 'UTC')).toThrow('startsOn must not be given together with startsAt');
  });

  it.each([
    [{ lastDay: '9999-12-31' }, 'UTC', 'lastDay must lie between 1970 and 9999'],
    [{ startsOn: '1970-01-01' }, 'Asia/Tokyo', 'startsOn must lie between 1970 and 9999'],
  ])('is refused where an end is an instant that no column holds: %o in %s', (wanted, zone, message) => {
    expect(() => windowOf(wanted, zone)).toThrow(message);
  });
});
