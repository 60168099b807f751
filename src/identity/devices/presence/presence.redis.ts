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
    const tooMany = await this.script.run(keys, [deviceId, this.place, LIFE_MS, limit, LEAVE_MS]);
    return tooMany as Id[];
  }

  /** The device is not online at this process any more. @throws StoreUnavailableError */
  async leave(tenantId: string, userId: Id, deviceId: Id): Promise<void> {
    await answered(this.redis.hdel(onlineKey(tenantId, userId), `${deviceId}|${this.place}`));
  }
}

const onlineKey = (tenantId: string, userId: Id): string => `{${tenantId}}:presence:online:${userId}`;
