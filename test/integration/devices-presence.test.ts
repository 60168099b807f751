import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import type { Actor } from '../../src/graphql/actor.js';
import { PresenceRedis } from '../../src/identity/devices/presence/presence.redis.js';
import { Session } from '../../src/identity/sessions/session.entity.js';
import { connectRedis } from '../../src/platform/redis/redis.js';
import { newIdentifier, newSecret, seedDeviceTenant } from '../support/devices.js';
import { TcpForwarder } from '../support/tcp-forwarder.js';
import { emOf, openWorld, seedUser, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterEach(() => {
  vi.restoreAllMocks();
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

const evictedKey = (tenantId: string, userId: string): string => `{${tenantId}}:presence:evicted:${userId}`;

async function timeToLeaveIsOver(tenantId: string, userId: string): Promise<void> {
  await world.stores.redis.del(evictedKey(tenantId, userId));
}

/** Three devices; those of one millisecond would be as old as each other. */
async function oneAfterTheOther(touch: (deviceId: string) => Promise<unknown>): Promise<void> {
  for (const deviceId of ['10', '11', '12']) {
    await touch(deviceId);
    await pause(5);
  }
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

  it('that were named and are still there are named again, before any other', async () => {
    const { userId, a } = places();
    const touch = async (deviceId: string) => a.touch(TENANT, userId, deviceId, 2);
    await oneAfterTheOther(touch);
    await timeToLeaveIsOver(TENANT, userId);
    expect(await touch('11')).toEqual(['10']);
    // As one named by a process whose script keeps only the time.
    await world.stores.redis.hset(evictedKey(TENANT, userId), '10', '1');
    expect(await touch('11')).toEqual(['10']);
  });

  it('that have come back after they were signed off count as the youngest', async () => {
    const { userId, a } = places();
    const touch = async (deviceId: string) => a.touch(TENANT, userId, deviceId, 2);
    await oneAfterTheOther(touch);
    await a.forget(TENANT, userId, '10');
    await timeToLeaveIsOver(TENANT, userId);
    expect(await touch('10')).toEqual(['11']);
  });

  it('are named again by a second run of the same call, whose first answer was lost', async () => {
    const url = new URL(inject('redisUrl'));
    const line = await TcpForwarder.start(Number(url.port));
    url.port = String(line.port);
    const redis = connectRedis(url.href, 30_000);
    try {
      const { userId, a } = places();
      const cut = new PresenceRedis(redis);
      for (const deviceId of ['10', '11', '12']) await a.touch(TENANT, userId, deviceId, 0);
      await cut.touch(TENANT, userId, '13', 0);
      line.loseAnswers();
      const answer = cut.touch(TENANT, userId, '13', 2);
      await expect.poll(async () => world.stores.redis.hexists(evictedKey(TENANT, userId), '11')).toBe(1);
      line.cut();
      expect(await answer).toEqual(['10', '11']);
      expect(await a.touch(TENANT, userId, '13', 2)).toEqual([]);
    } finally {
      redis.disconnect();
      await line.close();
    }
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

describe('a device above the limit', () => {
  it('is signed off by a later call where the first sign-off fails, and no other one is', async () => {
    const { presence, sessions, deviceLinks, deviceLogins } = world.services;
    const { tenantId } = await seedDeviceTenant(world, { device: { onlinePerUser: 2 } });
    const userId = await seedUser(world, tenantId);
    const actors: Actor[] = [];
    for (let n = 0; n < 3; n += 1) {
      const { linkCode } = await deviceLinks.create(tenantId, userId);
      const input = { identifier: newIdentifier(), secret: newSecret(), linkCode };
      const { deviceId } = await deviceLogins.login({ tenantId, ip: '127.0.0.1' }, input);
      actors.push({ kind: 'USER', tenantId, userId, deviceId });
    }
    const ended = async (): Promise<boolean[]> => {
      const rows = await emOf(world, tenantId).find(Session, {}, { orderBy: { id: 'asc' } });
      return rows.map(({ endedAt }) => endedAt !== null);
    };
    vi.spyOn(sessions, 'end').mockRejectedValueOnce(new Error('away'));
    for (const actor of actors) {
      await presence.opened(actor);
      await pause(5);
    }
    await presence.drained();
    expect(await ended()).toEqual([false, false, false]);
    await timeToLeaveIsOver(tenantId, userId);
    const [, second] = actors;
    if (second !== undefined) await presence.opened(second);
    await presence.drained();
    expect(await ended()).toEqual([true, false, false]);
    const online = await world.stores.redis.hkeys(`{${tenantId}}:presence:online:${userId}`);
    expect(online).toHaveLength(2);
    for (const actor of [...actors, ...actors]) await presence.closed(actor);
  });
});
