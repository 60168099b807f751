import { randomUUID } from 'node:crypto';
import type { Id } from '../../platform/ids.js';
import type { Redis } from '../../platform/redis/redis.js';
import { RedisScript } from '../../platform/redis/script.js';
import { planUsersKey, withoutRedis } from '../subscription-cache.redis.js';

const USERS_TTL_MS = 5 * 60_000;
/** Pages of a plan that Redis holds; those behind them are read from the database. */
const PAGES_MAX = 64;

/**
 * The running subscriptions of a plan, in pages, as JSON, read through. By plan and not by node: a change of a
 * subscription concerns one plan, whichever nodes that plan opens by now. A page is stored only under the token that
 * was there before its rows were read, and a drop takes the token away, so no page is older than the last drop.
 */
export class PlanUsersCache {
  private readonly readScript: RedisScript;
  private readonly fillScript: RedisScript;

  constructor(redis: Redis) {
    this.readScript = new RedisScript(redis, 'read-plan-users');
    this.fillScript = new RedisScript(redis, 'fill-plan-users');
  }

  /** The stored page behind a subscription, or what `load` answers. Without Redis every read goes to the database. */
  async through(tenantId: string, planId: Id, afterId: Id, load: () => Promise<string>): Promise<string> {
    const keys = [planUsersKey(tenantId, planId)];
    const read = async () => this.readScript.run(keys, [afterId, randomUUID(), USERS_TTL_MS]);
    const reply = await withoutRedis(read, ['AWAY']);
    const [status, text] = reply as ['HIT' | 'MISS', string] | ['AWAY'];
    if (status === 'HIT') return text;
    const page = await load();
    if (status === 'MISS') {
      const fill = async () => this.fillScript.run(keys, [afterId, text, page, PAGES_MAX]);
      await withoutRedis(fill, 'DROPPED');
    }
    return page;
  }
}
