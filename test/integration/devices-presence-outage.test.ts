import { setTimeout as pause } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import type { UserActor } from '../../src/graphql/actor.js';
import { PresenceRedis } from '../../src/identity/devices/presence/presence.redis.js';
import { PresenceService } from '../../src/identity/devices/presence/presence.service.js';
import { createLog } from '../../src/platform/observability/log.js';
import { connectRedis, type Redis } from '../../src/platform/redis/redis.js';
import { openBeforeAll } from '../support/open-before-all.js';
import { RedisServer } from '../support/redis-server.js';
import { openWorld, type World } from '../support/world.js';

const DEVICES = 20;
const BEAT_EVERY_MS = 50;
/** Redis is given up after three quarters of it: several beats. */
const ANSWER_WITHIN_MS = 400;

let world: World;
let server: RedisServer;
openBeforeAll(async (closing) => {
  world = await closing(openWorld());
  server = await closing(RedisServer.start());
});

/** Calls of devices to Redis, and how many of them were under way at once. */
function watchCalls(presence: PresenceRedis) {
  const calls = { devices: [] as string[], failed: 0, running: 0, runningMax: 0 };
  const touch = presence.touch.bind(presence);
  vi.spyOn(presence, 'touch').mockImplementation(async (...args) => {
    calls.devices.push(args[2]);
    calls.running += 1;
    calls.runningMax = Math.max(calls.runningMax, calls.running);
    try {
      return await touch(...args);
    } catch (error) {
      calls.failed += 1;
      throw error;
    } finally {
      calls.running -= 1;
    }
  });
  return calls;
}

function presenceOn(redis: Redis) {
  const { transactions, outbox, sessions, access } = world.services;
  const presence = new PresenceRedis(redis);
  const settings = { of: async () => Promise.resolve(null) };
  const log = createLog({ level: 'silent' });
  const parts = { transactions, outbox, sessions, access, log, settings, redis: presence };
  return { service: new PresenceService(parts, BEAT_EVERY_MS), calls: watchCalls(presence) };
}

it('beats of presence do not pile up while Redis does not answer, and all devices are online after its return', async () => {
  const redis = connectRedis(server.url, ANSWER_WITHIN_MS);
  const actors = Array.from({ length: DEVICES }, (_none, at): UserActor => ({
    kind: 'USER',
    tenantId: 'T_OUTAGE',
    userId: '1',
    deviceId: `${100 + at}`,
  }));
  const online = async (): Promise<number> => redis.hlen('{T_OUTAGE}:presence:online:1');
  const { service, calls } = presenceOn(redis);
  try {
    for (const actor of actors) await service.opened(actor);
    await expect.poll(online, { timeout: 20_000 }).toBe(DEVICES);
    server.signal('SIGSTOP');
    // The beat under way was ended by that, at any of the devices.
    const failed = calls.failed;
    await expect.poll(() => calls.failed, { timeout: 20_000 }).toBeGreaterThan(failed);
    calls.runningMax = calls.running;
    const from = calls.devices.length;
    await expect.poll(() => calls.devices.length - from, { timeout: 20_000 }).toBeGreaterThan(3);
    const called = calls.devices.slice(from);
    expect(calls.runningMax).toBe(1);
    expect(new Set(called)).toEqual(new Set(['100']));
    server.signal('SIGCONT');
    await expect.poll(async () => redis.flushall().catch(() => null), { timeout: 20_000 }).toBe('OK');
    await expect.poll(online, { timeout: 20_000 }).toBe(DEVICES);
    expect(calls.runningMax).toBe(1);
  } finally {
    server.signal('SIGCONT');
    for (const actor of actors) await service.closed(actor);
    redis.disconnect();
  }
  const { length } = calls.devices;
  await pause(4 * BEAT_EVERY_MS);
  expect(calls.devices).toHaveLength(length);
});
