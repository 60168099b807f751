import { StoreUnavailableError } from '../errors.js';
import { isServerAway } from '../database/sql-errors.js';

/** Instead of the result of work that has taken too long. */
const LATE = Symbol('late');

/**
 * Stops waiting for a store after a while. The work continues, so only reads and repeatable work belong here.
 * A database that cannot be reached at all is named the same.
 * @throws StoreUnavailableError
 */
export async function within<T>(
  timeoutMs: number,
  store: 'redis' | 'database',
  work: Promise<T>,
): Promise<T> {
  try {
    const done = await inTime(timeoutMs, work);
    if (done === LATE) throw new StoreUnavailableError(store);
    return done;
  } catch (error) {
    throw store === 'database' && isServerAway(error)
      ? new StoreUnavailableError(store, { cause: error })
      : error;
  }
}

/** The result of work within a time, or null; the work continues. Throws what the work throws in time. */
export async function resultWithin<T>(timeoutMs: number, work: Promise<T>): Promise<T | null> {
  const done = await inTime(timeoutMs, work);
  return done === LATE ? null : done;
}

/** One promise besides the work's: each redemption waits several times, mostly for what is there already. */
async function inTime<T>(timeoutMs: number, work: Promise<T>): Promise<T | typeof LATE> {
  let timer: NodeJS.Timeout | undefined;
  const first = new Promise<T | typeof LATE>((resolve, reject) => {
    timer = setTimeout(resolve, timeoutMs, LATE);
    work.then(resolve, reject);
  });
  try {
    return await first;
  } finally {
    clearTimeout(timer);
  }
}

/** Waits for the end of something that may never come, as the end of work on a store that is away; throws what it throws. */
export async function endsWithin(timeoutMs: number, work: Promise<unknown>): Promise<boolean> {
  const ended = await resultWithin(
    timeoutMs,
    work.then(() => true),
  );
  return ended ?? false;
}
