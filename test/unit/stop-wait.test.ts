import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { StopWait } from '../../src/platform/scheduling/stop-wait.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const { promise: never } = Promise.withResolvers<void>();
const after = async (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

it('waits 5 s for a store that does not answer once, not at each step', async () => {
  const wait = new StopWait();
  const from = Date.now();
  const steps = (async () => [await wait.endOf(never), await wait.endOf(never), await wait.endOf(never)])();
  await vi.advanceTimersByTimeAsync(5500);
  expect(await steps).toEqual([false, false, false]);
  expect(Date.now() - from).toBe(5500);
});

it('gives each step its whole time while all of them end', async () => {
  const wait = new StopWait();
  const steps = (async () => [await wait.endOf(after(4000)), await wait.endOf(after(4000))])();
  await vi.advanceTimersByTimeAsync(8000);
  expect(await steps).toEqual([true, true]);
});
