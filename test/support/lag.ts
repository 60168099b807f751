import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';
import { emOf, type World } from './world.js';

const LOOK_EVERY_MS = 20;

export interface Lagged<T> {
  readonly result: T;
  /** How long the slowest look took. */
  readonly lagMs: number;
}

/**
 * Does the work, and measures meanwhile how late this machine is: on an overloaded one everything takes longer, and
 * limits of a second are about the product. What waits for something else waits for the processor at least twice, so a
 * limit allows for twice the lag.
 * @param looks take next to no time on an idle machine
 */
export async function withLagOf<T>(
  looks: readonly (() => Promise<unknown>)[],
  work: () => Promise<T>,
): Promise<Lagged<T>> {
  let lagMs = 0;
  const done = new AbortController();
  const looking = looks.map(async (look) => {
    while (!done.signal.aborted) {
      const from = performance.now();
      await look();
      lagMs = Math.max(lagMs, Math.round(performance.now() - from));
      await pause(LOOK_EVERY_MS);
    }
  });
  try {
    const result = await work();
    return { result, lagMs };
  } finally {
    done.abort();
    await Promise.all(looking);
  }
}

/** A turn of this process. */
export const turn = async (): Promise<void> => pause(0);

/** Fails where the work takes longer than the limit, and what this machine is late by. */
export async function expectWithin(
  world: World,
  limitMs: number,
  work: () => Promise<unknown>,
): Promise<void> {
  const look = async () =>
    Promise.all([turn(), world.stores.redis.ping(), emOf(world, 'T').execute('select 1')]);
  const fromMs = performance.now();
  const { lagMs } = await withLagOf([look], work);
  expect(performance.now() - fromMs).toBeLessThan(limitMs + 2 * lagMs);
}
