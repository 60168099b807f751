import { describe, expect, it } from 'vitest';
import { nextAttemptAtMs } from '../../src/webhooks/retry-pauses.js';

const HOUR_MS = 3_600_000;

/** Pauses until the delivery is given up, where every attempt fails at once. */
function pausesMs(chance: number): number[] {
  const pauses: number[] = [];
  let nowMs = 0;
  for (let attempts = 1; ; attempts += 1) {
    const atMs = nextAttemptAtMs({ attempts, queuedAtMs: 0, nowMs, retryAfterMs: 0 }, chance);
    if (atMs === null) return pauses;
    pauses.push(atMs - nowMs);
    nowMs = atMs;
  }
}

describe('the pauses between attempts', () => {
  it.each([0, 0.5, 1])('grow to four hours, and end a day after the event (chance %d)', (chance) => {
    const pauses = pausesMs(chance);
    expect(pauses).toEqual(pauses.toSorted((a, b) => a - b));
    expect(pauses[0]).toBe(5000 * (0.5 + chance / 2));
    expect(pauses.at(-1)).toBe(4 * HOUR_MS * (0.5 + chance / 2));
    const sumMs = pauses.reduce((sum, pause) => sum + pause, 0);
    expect(sumMs).toBeLessThanOrEqual(24 * HOUR_MS);
    expect(sumMs).toBeGreaterThanOrEqual(20 * HOUR_MS);
  });

  it('are as long as the receiver asks for, an hour at most', () => {
    const after = (retryAfterMs: number) =>
      nextAttemptAtMs({ attempts: 1, queuedAtMs: 0, nowMs: 0, retryAfterMs }, 1);
    expect([after(1000), after(60_000), after(5 * HOUR_MS)]).toEqual([5000, 60_000, HOUR_MS]);
  });

  it('stay finite after any number of attempts', () => {
    const failed = { attempts: 5000, queuedAtMs: 0, nowMs: 0, retryAfterMs: 0 };
    expect(nextAttemptAtMs(failed, 1)).toBe(4 * HOUR_MS);
  });
});
