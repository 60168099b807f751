import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { clusterAddress, isClusterUrl } from '../../../src/platform/redis/redis-address.js';

const RECONNECT_MS = 10;
const TIMEOUT_MS = 500;

/** Sees every claim of a tenant that is opened, by Redis' MONITOR. A claim that is gone must have left a row behind. */
export interface ClaimWatch {
  /** Redemption ids of all claims that were ever seen open. */
  readonly seen: ReadonlySet<string>;
  /** How often it was connected to Redis, and why the connection ended last. */
  connections(): string;
  /** @throws Error when it could not watch for another reason than that Redis was away */
  close(): Promise<void>;
}

export function watchClaims(redisUrl: () => string, tenantId: string): ClaimWatch {
  const watch: Watch = {
    open: `{${tenantId}}:open`,
    seen: new Set(),
    connections: 0,
    away: [],
    ended: new AbortController(),
  };
  const watchOne = async (urlNow: () => string): Promise<Error | null> => {
    while (!watch.ended.signal.aborted) {
      const failure = await watchUntilLost(urlNow(), watch);
      if (failure !== null && !isAway(failure)) return failure;
      if (failure !== null) watch.away.push(failure.message);
      await pause(RECONNECT_MS);
    }
    return null;
  };
  const url = redisUrl();
  // Any node of a cluster may become the master of the tenant.
  const nodes = isClusterUrl(url) ? clusterAddress(url).urls.map((node) => () => node) : [redisUrl];
  const watching = Promise.all(nodes.map(watchOne));
  return {
    seen: watch.seen,
    connections: () =>
      `it was connected ${watch.connections} times, and lost Redis ${watch.away.length} times: ${watch.away.at(-1)}`,
    close: async () => {
      watch.ended.abort();
      const failure = (await watching).find((each) => each !== null);
      if (failure !== undefined)
        throw new Error(`The open claims could not be watched: ${failure.message}`, { cause: failure });
    },
  };
}

interface Watch {
  /** The key of the tenant's open claims. */
  readonly open: string;
  readonly seen: Set<string>;
  connections: number;
  readonly away: string[];
  readonly ended: AbortController;
}

/**
 * Redis may be killed, paused, or started elsewhere; then the caller connects again.
 * @returns why the connection ended; null when the watch is over
 */
async function watchUntilLost(url: string, watch: Watch): Promise<Error | null> {
  const { open, seen, ended } = watch;
  const options = {
    commandTimeout: TIMEOUT_MS,
    retryStrategy: null,
    maxRetriesPerRequest: 0,
    // It would ask a Redis that loads its data again after a second, in which all claims may have come and gone.
    enableReadyCheck: false,
  };
  const monitor = new Redis(url, { ...options, monitor: true });
  const reader = new Redis(url, options);
  const over = new AbortController();
  const see = (member: string | undefined): void => void seen.add(member?.split('|')[0] ?? '');
  const lost = new Promise<Error | null>((resolve) => {
    monitor.on('error', (error) => {
      if (!EARLY_LINE.test(error.message)) resolve(error);
    });
    reader.on('error', resolve);
    monitor.on('end', () => {
      resolve(new Error('Connection is closed.'));
    });
    const stop = (): void => {
      resolve(null);
    };
    ended.signal.addEventListener('abort', stop, { signal: over.signal });
  });
  monitor.on('monitor', (_time: string, [command, key, ...rest]: string[]) => {
    if (command?.toLowerCase() === 'zadd' && key === open) see(rest.at(-1));
  });
  monitor.on('monitoring', () => {
    watch.connections += 1;
    // Those that were opened while it was not connected.
    reader.zrange(open, '0', '-1').then(
      (members) => members.forEach(see),
      (error: unknown) => {
        // Another node of the cluster has them.
        const isElsewhere = error instanceof Error && error.message.startsWith('MOVED');
        if (!isElsewhere) reader.emit('error', error);
      },
    );
  });
  try {
    return await lost;
  } finally {
    over.abort();
    monitor.disconnect();
    reader.disconnect();
  }
}

/** What ioredis says of a line of MONITOR that comes in one chunk with the OK before it; the line itself is dropped. */
const EARLY_LINE = /^Command queue state error/;

/** The errors of ioredis without a server, and of Redis while it loads its data. */
const AWAY =
  /^(?:Connection is closed|CLUSTERDOWN|Command timed out|Stream isn't writeable|This socket has been ended|LOADING|connect |read |write )/;

const isAway = ({ name, message }: Error): boolean =>
  name === 'MaxRetriesPerRequestError' || AWAY.test(message);
