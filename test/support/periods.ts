import { setTimeout as pause } from 'node:timers/promises';

/** Waits for the next period, such as a day of UTC, where less is left of this one than the test takes. */
export async function withinOne(periodMs: number, takesMs: number): Promise<void> {
  const leftMs = periodMs - (Date.now() % periodMs);
  if (leftMs < takesMs) await pause(leftMs + 1);
}
