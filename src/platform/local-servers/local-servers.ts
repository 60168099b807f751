import path from 'node:path';
import { lockDataDir } from './data-dir-lock.js';
import { startPrivateMariadb } from './private-mariadb.js';
import { startPrivateRedis } from './private-redis.js';
import type { PrivateServer, PrivateServerOptions } from './private-server.js';

export interface LocalServers {
  /** Empty when `database` was false. */
  readonly databaseUrl: string;
  /** Empty when `redis` was false. */
  readonly redisUrl: string;
  /** Stops both gracefully; no process is left when it resolves. */
  stop(): Promise<void>;
}

export interface LocalServersOptions extends Omit<PrivateServerOptions, 'supervise'> {
  readonly database?: boolean;
  /** Settings of the database in tests. */
  readonly extraArgs?: readonly string[];
  readonly redis?: boolean;
}

const nothing = Promise.resolve(undefined);

/**
 * Runs the private database and Redis of a Redeemkit that was given no servers, and starts either again after a crash.
 *
 * @throws LocalServersBusyError when another process runs on the same data.
 */
export async function startLocalServers(options: LocalServersOptions): Promise<LocalServers> {
  const unlock = await lockDataDir(path.resolve(options.dataDir), 'local-servers');
  const starts = [
    options.database === false ? nothing : startPrivateMariadb(options),
    options.redis === false ? nothing : startPrivateRedis(options),
  ];
  const outcomes = await Promise.allSettled(starts);
  const stop = async (): Promise<void> => {
    await Promise.all(outcomes.map(async (outcome) => startedServer(outcome)?.stop()));
    unlock();
  };
  const failure = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failure !== undefined) {
    await stop();
    throw failure.reason;
  }
  const [databaseUrl = '', redisUrl = ''] = outcomes.map((outcome) => startedServer(outcome)?.url);
  return { databaseUrl, redisUrl, stop };
}

function startedServer(outcome: PromiseSettledResult<PrivateServer | undefined>): PrivateServer | undefined {
  return outcome.status === 'fulfilled' ? outcome.value : undefined;
}
