import { connectRedis, type Redis } from '../../src/platform/redis/redis.js';

const PATIENCE_MS = 5000;

/** A connection of the harness itself, past every proxy, for one piece of work. */
export async function withRedis<T>(url: string, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = connectRedis(url, PATIENCE_MS);
  try {
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}
