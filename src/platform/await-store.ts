import { setTimeout as pause } from 'node:timers/promises';
import { StartError } from './errors.js';

const LOOK_AGAIN_MS = 200;

/** Why a store cannot be used. */
export interface StoreObstacle {
  /** One line: what is wrong, and what to do. */
  readonly message: string;
  /** It may be gone in a moment, as with a store that is just coming up. */
  readonly mayPass: boolean;
}

export interface StoreWait {
  readonly waitMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Waits until a store can be used, for a bounded time, and not at all for what does not pass by itself.
 *
 * @throws StartError with the obstacle's message
 */
export async function awaitStore(
  look: () => Promise<StoreObstacle | null>,
  { waitMs, signal }: StoreWait,
): Promise<void> {
  const endMs = performance.now() + waitMs;
  for (;;) {
    const obstacle = await look();
    signal?.throwIfAborted();
    if (obstacle === null) return;
    if (!obstacle.mayPass || performance.now() >= endMs) throw new StartError(obstacle.message);
    await pause(LOOK_AGAIN_MS, undefined, { signal });
  }
}

export const passes = (message: string): StoreObstacle => ({ message, mayPass: true });
export const stays = (message: string): StoreObstacle => ({ message, mayPass: false });

/**
 * What is in the way of reaching a server at all; null where the error is not one of the network.
 *
 * @param what the server's name in a sentence, e.g. `the database`
 */
export function networkObstacle(
  error: unknown,
  what: string,
  url: URL,
  variable: string,
): StoreObstacle | null {
  const place = url.host === '' ? url.href : url.host;
  switch (networkCodeOf(error)) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return passes(`The host of ${what}, ${url.hostname}, is not known: correct ${variable}.`);
    case 'ECONNREFUSED':
    case 'ECONNRESET':
    case 'PROTOCOL_CONNECTION_LOST':
    case 'EPIPE':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ETIMEDOUT':
      return passes(`At ${place} ${what} does not answer: start it, or correct ${variable}.`);
    default:
      return null;
  }
}

/** Of the error or what caused it; an attempt at several addresses of one host fails with all of their errors. */
export function networkCodeOf(error: unknown): string | null {
  for (let at = error; at instanceof Error;) {
    if ('code' in at && typeof at.code === 'string') return at.code;
    at = at instanceof AggregateError ? at.errors[0] : at.cause;
  }
  return null;
}
