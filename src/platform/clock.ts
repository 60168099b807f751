/** Milliseconds since 1970, UTC. The only door to the wall clock, so that tests can turn it. */
export interface Clock {
  nowMs(): number;
}

export const systemClock: Clock = { nowMs: () => Date.now() };
