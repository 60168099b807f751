import { StoreUnavailableError } from '../errors.js';
import { isServerAway } from '../database/sql-errors.js';

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
    const done = await resultWithin(
      timeoutMs,
      work.then((result) => ({ result })),
    );
    if (done === null) throw new StoreUnavailableError(store);
    return done.result;
  } catch (error) {
    throw store === 'database' && isServerAway(error)
      ? new StoreUnavailableError(store, { cause: error })
      : error;
  }
}

/** The result of work within a time, or null; the work continues. Throws what the work throws in time. */
export async function resultWithin<T>(timeoutMs: number, work: Promise<T>): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), timeoutMs);
  });
  try {
    return await Promise.race([work, late]);
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
