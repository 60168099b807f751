import { randomUUID } from 'node:crypto';
import { StoreUnavailableError } from '../platform/errors.js';
import type { Id } from '../platform/ids.js';
import { answered, type Redis } from '../platform/redis/redis.js';
import { RedisScript } from '../platform/redis/script.js';

const VALUE_TTL_MS = 5 * 60_000;
/** Longer than a read of the database takes; a reader that dies keeps others from filling for no longer. */
const LEASE_TTL_MS = 5000;

/** What a user holds, and the lease of the reader that may fill it. */
const userKeys = (tenantId: string, userId: Id): [value: string, lease: string] => [
  `{${tenantId}}:subs:${userId}`,
  `{${tenantId}}:subs:${userId}:lease`,
];

/** The running subscriptions of a plan, in pages, for the nodes that it opens. */
export const planUsersKey = (tenantId: string, planId: Id): string => `{${tenantId}}:plan_users:${planId}`;

/** Whose copies a change makes old: the user's own, and those of the nodes that the plan opens. */
export interface ChangedSubscription {
  readonly userId: Id;
  readonly planId: Id;
}

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
    const keys = userKeys(tenantId, userId);
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
   * Forgets these users' subscriptions and these plans' users, and takes the right to fill from readers under way.
   *
   * @throws StoreUnavailableError
   */
  async drop(tenantId: string, changed: readonly ChangedSubscription[]): Promise<void> {
    if (changed.length === 0) return;
    const keys = changed.flatMap(({ userId, planId }) => [
      ...userKeys(tenantId, userId),
      planUsersKey(tenantId, planId),
    ]);
    await answered(this.redis.del([...new Set(keys)]));
  }
}

/** What Redis answers; another answer while it is away, because caches are never needed. */
export async function withoutRedis(work: () => Promise<unknown>, otherwise: unknown): Promise<unknown> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StoreUnavailableError) return otherwise;
    throw error;
  }
}
