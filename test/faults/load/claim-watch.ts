import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';

const EVERY_MS = 10;
const TIMEOUT_MS = 500;

/** Looks all the time which claims of a tenant are open. A claim that is gone must have left a row behind. */
export interface ClaimWatch {
  /** Redemption ids of all claims that were ever seen open. */
  readonly seen: ReadonlySet<string>;
  close(): Promise<void>;
}

export function watchClaims(redisUrl: () => string, tenantId: string): ClaimWatch {
  const seen = new Set<string>();
  const ended = new AbortController();
  const watching = (async () => {
    while (!ended.signal.aborted) await lookUntilLost(redisUrl(), tenantId, seen, ended.signal);
  })();
  return {
    seen,
    close: async () => {
      ended.abort();
      await watching;
    },
  };
}

/** Redis may be killed, paused, or started elsewhere; then it is connected to anew. */
async function lookUntilLost(
  url: string,
  tenantId: string,
  seen: Set<string>,
  signal: AbortSignal,
): Promise<void> {
  const redis = new Redis(url, { commandTimeout: TIMEOUT_MS, retryStrategy: null, maxRetriesPerRequest: 0 });
  redis.on('error', () => undefined);
  try {
    while (!signal.aborted) {
      for (const member of await redis.zrange(`{${tenantId}}:open`, '0', '-1'))
        seen.add(member.split('|')[0] ?? '');
      await pause(EVERY_MS);
    }
  } catch {
    await pause(EVERY_MS);
  } finally {
    redis.disconnect();
  }
}
