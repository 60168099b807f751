import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';

const EVERY_MS = 10;
const TIMEOUT_MS = 500;

/** Looks all the time which claims of a tenant are open. A claim that is gone must have left a row behind. */
export interface ClaimWatch {
  /** Redemption ids of all claims that were ever seen open. */
  readonly seen: ReadonlySet<string>;
  /** @throws Error when it could not look for another reason than that Redis was away */
  close(): Promise<void>;
}

export function watchClaims(redisUrl: () => string, tenantId: string): ClaimWatch {
  const seen = new Set<string>();
  const ended = new AbortController();
  const watching = (async (): Promise<unknown> => {
    while (!ended.signal.aborted) {
      const failure = await lookUntilLost(redisUrl(), tenantId, seen, ended.signal);
      if (failure !== null) return failure;
    }
    return null;
  })();
  return {
    seen,
    close: async () => {
      ended.abort();
      const failure = await watching;
      if (failure !== null)
        throw new Error(`The open claims could not be watched: ${reasonOf(failure)}`, { cause: failure });
    },
  };
}

const reasonOf = (failure: unknown): string =>
  failure instanceof Error ? `${failure.name}: ${failure.message}` : 'for no reason that is told';

/**
 * Redis may be killed, paused, or started elsewhere; then it is connected to anew.
 * @returns any other failure, which would make the watch blind; else null
 */
async function lookUntilLost(
  url: string,
  tenantId: string,
  seen: Set<string>,
  signal: AbortSignal,
): Promise<unknown> {
  const redis = new Redis(url, { commandTimeout: TIMEOUT_MS, retryStrategy: null, maxRetriesPerRequest: 0 });
  redis.on('error', () => undefined);
  try {
    while (!signal.aborted) {
      for (const member of await redis.zrange(`{${tenantId}}:open`, '0', '-1'))
        seen.add(member.split('|')[0] ?? '');
      await pause(EVERY_MS);
    }
    return null;
  } catch (error) {
    if (!isAway(error)) return error;
    await pause(EVERY_MS);
    return null;
  } finally {
    redis.disconnect();
  }
}

/** What ioredis says where nobody answers, and Redis while it reads its data. */
const AWAY =
  /^(?:Connection is closed|Command timed out|Stream isn't writeable|LOADING|connect |read |write )/;

function isAway(error: unknown): boolean {
  return error instanceof Error && (error.name === 'MaxRetriesPerRequestError' || AWAY.test(error.message));
}
