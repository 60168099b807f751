import { Redis as SingleRedis, type RedisOptions } from 'ioredis';
import { StoreUnavailableError } from '../errors.js';
import { isClusterUrl } from './redis-address.js';
import { RedisCluster } from './redis-cluster.js';

/** The connection to one server. */
export type RedisNode = SingleRedis;
/** One Redis, or a cluster. */
export type Redis = RedisNode | RedisCluster;

/** Share of the time to report an outage that one waiting command may use. */
const SHARE_OF_ANSWER = 0.75;
/** Pauses between attempts to connect grow up to this: the longest time until Redis is found again after its return. */
const RECONNECT_EVERY_MS_MAX = 1000;
/** How often a Redis that reads its data from disk is asked whether it has finished. */
const LOADING_RETRY_MS = 250;
/** A peer that is gone without a word is missed after about this and ten further seconds, where nothing is under way. */
const KEEP_ALIVE_MS = 5000;
const PING_EVERY_MS = 2000;
/** Longer than the job queue lets Redis wait, which is ten seconds. */
const WAITED_MS_MAX = 15_000;

/**
 * How Redis says that it cannot do its work now, though nothing is wrong with the command: it reads its data, is (or
 * has become) a replica, is out of memory, cannot write to its disk, or is blocked by a script. In a cluster the keys
 * may be on their way to another master; a transaction that met that says only EXECABORT.
 */
const AWAY =
  /^(?:LOADING|READONLY|OOM|MISCONF|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|MOVED|ASK|EXECABORT|BUSY|NOREPLICAS|ERR max number of clients reached)\b/;

/** Of one connection, which opens its socket again and again. */
function reconnecting() {
  let isLeaving = false;
  return {
    keepAlive: KEEP_ALIVE_MS,
    maxLoadingRetryTime: LOADING_RETRY_MS,
    retryStrategy: (attempt) => {
      isLeaving = false;
      return Math.min(50 * 2 ** attempt, RECONNECT_EVERY_MS_MAX);
    },
    // A primary that has become a replica closes no connections; its name leads to the new primary after reconnecting.
    // The first refused write closes the socket. Closing it for each of them would pile up listeners and timers.
    reconnectOnError: (error) => {
      if (isLeaving || !error.message.startsWith('READONLY')) return false;
      isLeaving = true;
      return true;
    },
  } satisfies RedisOptions;
}

/**
 * A connection for commands, set so that an outage is reported within `answerWithinMs` and is over within seconds of its
 * end, without a restart:
 *
 * - `commandTimeout`: a command that is not answered fails, on a connection that hangs as on none at all. Its outcome
 *   is then unknown.
 * - `socketTimeout`: a connection without replies is closed and opened again. Without it, a peer that is gone
 *   without a word would be waited for until the kernel gives up, which takes a quarter of an hour.
 * - `autoResendUnfulfilledCommands`: what was under way when the connection broke is sent again on the next one, so a
 *   restart of Redis costs no caller its answer. So **every command may run twice**, also after its caller has gone:
 *   scripts tell their own first run by its ids, and everything else sets or removes and never counts.
 * - `maxRetriesPerRequest`: after two connections in vain what waits fails at once instead of waiting for its time-out.
 */
export function connectRedis(url: string, answerWithinMs: number): Redis {
  const commandTimeout = Math.floor(answerWithinMs * SHARE_OF_ANSWER);
  const options = {
    ...reconnecting(),
    commandTimeout,
    connectTimeout: commandTimeout,
    socketTimeout: 2 * commandTimeout,
    // A peer that hangs does not answer the end of a connection either.
    disconnectTimeout: commandTimeout,
    maxRetriesPerRequest: 1,
    autoResendUnfulfilledCommands: true,
  };
  if (isClusterUrl(url)) return new RedisCluster(url, options, commandTimeout);
  const redis = new SingleRedis(url, options);
  // Without a listener an outage would end the process; each command fails by itself and says so.
  redis.on('error', () => undefined);
  return redis;
}

/**
 * A connection that only listens: it waits for ever, and subscribes again after a reconnect. It sends pings, because a
 * listener without commands would not notice a dead peer.
 */
export function connectRedisListener(url: string): Redis {
  const options = {
    ...reconnecting(),
    maxRetriesPerRequest: null,
    connectTimeout: PING_EVERY_MS,
    disconnectTimeout: PING_EVERY_MS,
  };
  // Its subscribers send no pings. What a master that hangs would have told is read by the polls.
  if (isClusterUrl(url)) return new RedisCluster(url, options, null, { shardedSubscribers: true });
  const redis = new SingleRedis(url, { ...options, socketTimeout: 2 * PING_EVERY_MS });
  const asking = setInterval(() => {
    if (redis.status === 'ready') redis.ping().catch(() => undefined);
  }, PING_EVERY_MS);
  asking.unref();
  redis.on('error', () => undefined);
  redis.on('end', () => clearInterval(asking));
  return redis;
}

/** A connection for commands that Redis answers only when there is something to do, as those of a job queue's worker. */
export function connectRedisWaiter(url: string): Redis {
  const options = {
    ...reconnecting(),
    maxRetriesPerRequest: null,
    connectTimeout: PING_EVERY_MS,
    socketTimeout: WAITED_MS_MAX,
    disconnectTimeout: PING_EVERY_MS,
  };
  if (isClusterUrl(url)) return new RedisCluster(url, options, null);
  const redis = new SingleRedis(url, options);
  redis.on('error', () => undefined);
  return redis;
}

/** What Redis answers; a failure is named by {@link asRedisFailure}. */
export async function answered<T>(reply: Promise<T>): Promise<T> {
  try {
    return await reply;
  } catch (error) {
    throw asRedisFailure(error);
  }
}

/**
 * Names every failure of a command by what it means to a caller: Redis did not answer, or cannot do its work. What a
 * script or a command itself got wrong stays an error of its own.
 */
export function asRedisFailure(error: unknown): unknown {
  const isReply = error instanceof Error && error.name === 'ReplyError';
  if (isReply && !AWAY.test(error.message)) return error;
  return new StoreUnavailableError('redis', { cause: error });
}
