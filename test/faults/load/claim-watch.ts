import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';

const EVERY_MS = 10;
const TIMEOUT_MS = 500;

/** Looks all the time which claims of a tenant are open. A claim that is gone must have left a row behind. */
export interface ClaimWatch {
  /** Redemption ids of all claims that were ever seen open. */
  readonly seen: ReadonlySet<string>;
  /** How often it has looked, and what Redis was away for last. */
  looks(): string;
  /** @throws Error when it could not look for another reason than that Redis was away */
  close(): Promise<void>;
}

export function watchClaims(redisUrl: () => string, tenantId: string): ClaimWatch {
  const watch: Watch = { tenantId, seen: new Set(), looks: 0, away: [], ended: new AbortController() };
  const { seen, ended } = watch;
  const watching = (async (): Promise<unknown> => {
    while (!ended.signal.aborted) {
      const failure = await lookUntilLost(redisUrl(), watch);
      if (failure !== null) return failure;
    }
    return null;
  })();
  return {
    seen,
    looks: () =>
      `it looked ${watch.looks} times, and lost Redis ${watch.away.length} times: ${watch.away.at(-1)}`,
    close: async () => {
      ended.abort();
      const failure = await watching;
      if (failure !== null)
        throw new Error(`The open claims could not be watched: ${reasonOf(failure)}`, { cause: failure });
    },
  };
}

interface Watch {
  readonly tenantId: string;
  readonly seen: Set<string>;
  looks: number;
  readonly away: string[];
  readonly ended: AbortController;
}

const reasonOf = (failure: unknown): string =>
  failure instanceof Error ? `${failure.name}: ${failure.message}` : 'for no reason that is told';

/**
 * Redis may be killed, paused, or started elsewhere; then it is connected to anew.
 * @returns any other failure, which would make the watch blind; else null
 */
async function lookUntilLost(url: string, watch: Watch): Promise<unknown> {
  const { tenantId, seen, ended } = watch;
  const redis = new Redis(url, { commandTimeout: TIMEOUT_MS, retryStrategy: null, maxRetriesPerRequest: 0 });
  redis.on('error', () => undefined);
  try {
    while (!ended.signal.aborted) {
      for (const member of await redis.zrange(`{${tenantId}}:open`, '0', '-1'))
        seen.add(member.split('|')[0] ?? '');
      watch.looks += 1;
      await pause(EVERY_MS);
    }
    return null;
  } catch (error) {
    if (!isAway(error)) return error;
    watch.away.push(reasonOf(error));
    await pause(EVERY_MS);
    return null;
  } finally {
    redis.disconnect();
  }
}

/** What ioredis says where nobody answers, and Redis while it reads its data. */
const AWAY =
  /^(?:Connection is closed|Command timed out|Stream isn't writeable|This socket has been ended|LOADING|connect |read |write )/;

function isAway(error: unknown): boolean {
  return error instanceof Error && (error.name === 'MaxRetriesPerRequestError' || AWAY.test(error.message));
}
