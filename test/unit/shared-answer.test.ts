import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { sharedAnswer } from '../../src/platform/scheduling/shared-answer.js';

afterEach(() => void vi.useRealTimers());

describe('a shared answer', () => {
  it('is made once for all who ask at once, and again for who asks later', async () => {
    let made = 0;
    const ask = sharedAnswer(async () => {
      await pause(5);
      return (made += 1);
    });
    const together = await Promise.all(Array.from({ length: 100 }, ask));
    expect([new Set(together).size, made, await ask()]).toEqual([1, 1, 2]);
  });

  it('is kept as long as it says', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    let made = 0;
    const ask = sharedAnswer(async () => (made += 1), 30);
    expect([await ask(), await ask()]).toEqual([1, 1]);
    await vi.advanceTimersByTimeAsync(29);
    expect(await ask()).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(await ask()).toBe(2);
  });

  it('is not kept when it failed', async () => {
    let made = 0;
    const ask = sharedAnswer(async () => {
      made += 1;
      if (made === 1) throw new Error('away');
      return made;
    }, 60_000);
    const [first, second] = await Promise.allSettled([ask(), ask()]);
    expect([first.status, second.status, await ask()]).toEqual(['rejected', 'rejected', 2]);
  });
});
