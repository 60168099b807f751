import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PresenceRedis } from '../../src/identity/devices/presence/presence.redis.js';
import { openWorld, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => world?.close());

const TENANT = 'T_PRESENCE';

function places() {
  const userId = world.services.ids.next();
  // Two processes.
  const [a, b] = [new PresenceRedis(world.stores.redis), new PresenceRedis(world.stores.redis)];
  const key = `{${TENANT}}:presence:online:${userId}`;
  return { userId, a, b, key };
}

describe('devices that are online', () => {
  it('are counted once however many processes they are at, and the oldest beyond the limit are named once', async () => {
    const { userId, a, b } = places();
    const touch = async (at: PresenceRedis, deviceId: string) => at.touch(TENANT, userId, deviceId, 2);
    expect(await touch(a, '10')).toEqual([]);
    expect(await touch(b, '10')).toEqual([]);
    expect(await touch(b, '11')).toEqual([]);
    expect(await touch(a, '12')).toEqual(['10']);
    // It is on its way out, and not counted any more.
    expect(await touch(a, '12')).toEqual([]);
    expect(await touch(b, '13')).toEqual(['11']);
  });

  it('that were named and are still there have come back: they count as the youngest', async () => {
    const { userId, a } = places();
    const touch = async (deviceId: string) => a.touch(TENANT, userId, deviceId, 2);
    for (const deviceId of ['10', '11', '12']) {
      await touch(deviceId);
      // Those of one millisecond are as old as each other.
      await pause(5);
    }
    // As after the time that it had to leave.
    await world.stores.redis.del(`{${TENANT}}:presence:evicted:${userId}`);
    expect(await touch('10')).toEqual(['11']);
  });

  it('stay online while one process has them, and are as old as their first socket', async () => {
    const { userId, a, b, key } = places();
    const touch = async (at: PresenceRedis, deviceId: string) => at.touch(TENANT, userId, deviceId, 2);
    await touch(a, '10');
    await touch(a, '11');
    await touch(b, '10');
    await a.leave(TENANT, userId, '10');
    expect(await world.stores.redis.hlen(key)).toBe(2);
    expect(await touch(a, '12')).toEqual(['10']);
    await b.leave(TENANT, userId, '10');
    expect(await world.stores.redis.hlen(key)).toBe(2);
  });

  it('of a process that has died are forgotten, and all keys expire', async () => {
    const { userId, a, key } = places();
    await world.stores.redis.hset(key, '9|dead', '1|2');
    expect(await a.touch(TENANT, userId, '10', 1)).toEqual([]);
    expect(await world.stores.redis.hkeys(key)).toHaveLength(1);
    expect(await world.stores.redis.pttl(key)).toBeGreaterThan(0);
    expect(await a.touch(TENANT, userId, '11', 1)).toEqual(['10']);
    const keys = await world.stores.redis.keys(`{${TENANT}}:presence:*:${userId}`);
    for (const each of keys) expect(await world.stores.redis.pttl(each)).toBeGreaterThan(0);
    expect(keys).toHaveLength(2);
  });

  it('may be any number where there is no limit', async () => {
    const { userId, a } = places();
    for (const deviceId of ['10', '11', '12']) expect(await a.touch(TENANT, userId, deviceId, 0)).toEqual([]);
  });
});
