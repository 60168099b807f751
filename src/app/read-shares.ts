/** Enough that new events of a tenant do not wait for another one whose read takes long. */
const OF_EVENTS_MAX = 2;

/** How many of the connections for reads each kind may hold, so that every read that begins finds one. */
export interface ReadShares {
  readonly lists: number;
  /** For subscribers who catch up, and as many for new events. */
  readonly ofEvents: number;
}

/** The shares of a pool of at least 3. Looks at counters are short, and wait for one of these. */
export function readShares(poolSize: number): ReadShares {
  const ofEvents = Math.min(OF_EVENTS_MAX, Math.floor(poolSize / 3));
  return { lists: poolSize - 2 * ofEvents, ofEvents };
}
