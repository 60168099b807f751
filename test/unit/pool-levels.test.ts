import { afterEach, expect, it, vi } from 'vitest';
import { PoolLevels } from '../../src/codes/pool-levels.js';

afterEach(() => void vi.useRealTimers());

const LARGE = { tenantId: 'T', campaignId: '1', size: 100_000 };

it('passes a pool over until the decisive item is gone, by the order of ids', () => {
  const levels = new PoolLevels();
  const isLow = (firstId: string | null) => levels.lowAmong([{ ...LARGE, firstId }]).length === 1;
  expect(isLow('1')).toBe(true);
  levels.passOver(LARGE, '99');
  expect(['9', '98', '99', '100', '1'].map(isLow)).toEqual([false, false, false, true, true]);
  levels.passOver(LARGE, '99');
  expect(isLow(null)).toBe(true);
});

it('looks at a pool that got another size, and at those of others', () => {
  const levels = new PoolLevels();
  const others = [{ size: 200 }, { tenantId: 'U' }, { campaignId: '2' }].map((other) => ({
    ...LARGE,
    ...other,
    firstId: '1',
  }));
  levels.passOver(LARGE, '99');
  expect(levels.lowAmong([{ ...LARGE, firstId: '1' }, ...others])).toEqual(others);
});

it('passes a small pool over for a shorter time than a large one', () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const levels = new PoolLevels();
  const pools = [LARGE, { ...LARGE, campaignId: '2', size: 10 }].map((pool) => ({ ...pool, firstId: '1' }));
  for (const pool of pools) levels.passOver(pool, '99');
  vi.advanceTimersByTime(50);
  expect(levels.lowAmong(pools)).toEqual(pools.slice(1));
});
