import { Redis } from 'ioredis';
import { StoreUnavailableError } from '../errors.js';

export type { Redis } from 'ioredis';

/**
 * A connection for commands. Set on purpose: a command that is not answered within the time-out fails (its
 * outcome is then unknown), and nothing is sent twice behind our back except by scripts that are safe to repeat.
 */
export function connectRedis(url: string, commandTimeoutMs: number): Redis {
  const redis = new Redis(url, {
    commandTimeout: commandTimeoutMs,
    connectTimeout: commandTimeoutMs,
    maxRetriesPerRequest: 1,
    autoResendUnfulfilledCommands: true,
    retryStrategy: (attempt) => Math.min(50 * 2 ** attempt, 1000),
  });
  // Without a listener an outage would end the process; each command fails by itself and says so.
  redis.on('error', () => undefined);
  return redis;
}

/** A connection that only listens: it waits for ever, and takes up its subscriptions again by itself. */
export function connectRedisListener(url: string): Redis {
  const redis = new Redis(url, {
    maxRetriesPerRequest: null,
    retryStrategy: (attempt) => Math.min(50 * 2 ** attempt, 1000),
  });
  redis.on('error', () => undefined);
  return redis;
}

/** Names every failure of a command by what it means to a caller: Redis did not answer. A script's own error stays one. */
export function asRedisFailure(error: unknown): unknown {
  if (error instanceof Error && error.name === 'ReplyError') return error;
  return new StoreUnavailableError('redis', { cause: error });
}
