import { randomUUID } from 'node:crypto';
import type { Id } from '../../../platform/ids.js';
import { answered, type Redis } from '../../../platform/redis/redis.js';
import { RedisScript } from '../../../platform/redis/script.js';

/** How long a device counts as online after the last beat of a process that has died. */
const LIFE_MS = 30_000;
/** A device above the limit is signed off within this time, and not counted in the meantime. */
const LEAVE_MS = 5000;

/** Which devices of a user are online. */
export class PresenceRedis {
  private readonly script: RedisScript;
  private readonly place = randomUUID();

  constructor(private readonly redis: Redis) {
    this.script = new RedisScript(redis, 'touch-presence');
  }

  /**
   * The device is online at this process.
   * @param limit devices that may be online; 0 for any number
   * @returns the user's devices above the limit, oldest first
   * @throws StoreUnavailableError
   */
  async touch(tenantId: string, userId: Id, deviceId: Id, limit: number): Promise<Id[]> {
    const keys = [onlineKey(tenantId, userId), `{${tenantId}}:presence:evicted:${userId}`];
    const attemptId = randomUUID();
    const args = [deviceId, this.place, attemptId, LIFE_MS, limit, LEAVE_MS];
    return (await this.script.run(keys, args)) as Id[];
  }

  /**
   * The device was signed off. If it has signed in again meanwhile, it is online from its next call on, as the youngest.
   * @throws StoreUnavailableError
   */
  async forget(tenantId: string, userId: Id, deviceId: Id): Promise<void> {
    const key = onlineKey(tenantId, userId);
    const places = await answered(this.redis.hkeys(key));
    const own = places.filter((place) => place.startsWith(`${deviceId}|`));
    if (own.length > 0) await answered(this.redis.hdel(key, ...own));
  }

  /** The device is not online at this process any more. @throws StoreUnavailableError */
  async leave(tenantId: string, userId: Id, deviceId: Id): Promise<void> {
    await answered(this.redis.hdel(onlineKey(tenantId, userId), `${deviceId}|${this.place}`));
  }
}

const onlineKey = (tenantId: string, userId: Id): string => `{${tenantId}}:presence:online:${userId}`;
