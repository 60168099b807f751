import { randomUUID } from 'node:crypto';
import { StoreUnavailableError } from '../platform/errors.js';
import type { Id } from '../platform/ids.js';
import { answered, type Redis } from '../platform/redis/redis.js';
import { RedisScript } from '../platform/redis/script.js';

const VALUE_TTL_MS = 5 * 60_000;
/** Longer than a read of the database takes; a reader that dies keeps others from filling for no longer. */
const LEASE_TTL_MS = 5000;

const keysOf = (tenantId: string, userId: Id): [value: string, lease: string] => [
  `{${tenantId}}:subs:${userId}`,
  `{${tenantId}}:subs:${userId}:lease`,
];

/**
 * What a user holds, as JSON, read through. A lease guards against the stale fill: a reader that took the old rows,
 * was overtaken by a commit and its invalidation, and comes late, finds its lease gone and stores nothing.
 */
export class SubscriptionCache {
  private readonly readScript: RedisScript;
  private readonly fillScript: RedisScript;

  constructor(private readonly redis: Redis) {
    this.readScript = new RedisScript(redis, 'cache-read');
    this.fillScript = new RedisScript(redis, 'cache-fill');
  }

  /** The stored text, or what `load` answers. Without Redis every read goes to the database. */
  async through(tenantId: string, userId: Id, load: () => Promise<string>): Promise<string> {
    const keys = keysOf(tenantId, userId);
    const token = randomUUID();
    const reply = await withoutRedis(() => this.readScript.run(keys, [token, LEASE_TTL_MS]), ['BUSY']);
    const [status, stored] = reply as ['HIT', string] | ['LEASED' | 'BUSY', undefined?];
    if (status === 'HIT') return stored;
    const value = await load();
    if (status === 'LEASED') {
      await withoutRedis(() => this.fillScript.run(keys, [token, value, VALUE_TTL_MS]), 'LEASE_LOST');
    }
    return value;
  }

  /**
   * Forgets these users' subscriptions, and takes the right to fill from a reader under way.
   *
   * @throws StoreUnavailableError
   */
  async drop(tenantId: string, userIds: readonly Id[]): Promise<void> {
    if (userIds.length === 0) return;
    await answered(this.redis.del(userIds.flatMap((userId) => keysOf(tenantId, userId))));
  }
}

async function withoutRedis(work: () => Promise<unknown>, otherwise: unknown): Promise<unknown> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StoreUnavailableError) return otherwise;
    throw error;
  }
}
