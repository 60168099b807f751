import { afterAll, beforeAll, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import { connectRedis } from '../../src/platform/redis/redis.js';
import { Subscription } from '../../src/subscriptions/subscription.entity.js';
import { SubscriptionCache } from '../../src/subscriptions/subscription-cache.redis.js';
import { SubscriptionRewardHandler } from '../../src/subscriptions/subscription-reward.handler.js';
import { SubscriptionService } from '../../src/subscriptions/subscription.service.js';
import { openSubscriptionWorld, type SubscriptionWorld } from '../support/subscription-world.js';

let world: SubscriptionWorld;
let userId: string;
beforeAll(async () => {
  world = await openSubscriptionWorld(inject('databaseUrl'), inject('redisUrl'));
});
beforeEach(async () => {
  userId = await world.addUser();
});
afterAll(async () => world?.close());

const valueKey = () => `{${world.tenantId}}:subs:${userId}`;
const leaseKey = () => `${valueKey()}:lease`;
const through = async (load: () => Promise<string>) => world.cache.through(world.tenantId, userId, load);
const planId = '1';
const drop = async () => world.cache.drop(world.tenantId, [{ userId, planId }]);

describe('reading through', () => {
  it('asks the database once and then answers from Redis, for at most five minutes', async () => {
    const load = vi.fn<() => Promise<string>>(async () => 'rows');
    expect([await through(load), await through(load), await through(load)]).toEqual(['rows', 'rows', 'rows']);
    expect(load).toHaveBeenCalledTimes(1);
    const ttlMs = await world.redis.pttl(valueKey());
    expect(ttlMs).toBeGreaterThan(290_000);
    expect(ttlMs).toBeLessThanOrEqual(300_000);
    expect(await world.redis.exists(leaseKey())).toBe(0);
  });

  it('S4.1 keeps users and tenants apart', async () => {
    await through(async () => 'mine');
    expect(await world.cache.through('T_other', userId, async () => 'other')).toBe('other');
    expect(await world.cache.through(world.tenantId, `${userId}0`, async () => 'theirs')).toBe('theirs');
    await world.cache.drop('T_other', [{ userId, planId }]);
    expect(await through(async () => 'new')).toBe('mine');
  });

  it('gives the right to fill to one of many readers', async () => {
    const load = vi.fn<() => Promise<string>>(async () => 'rows');
    const fills = vi.spyOn(world.redis, 'evalsha');
    await Promise.all(Array.from({ length: 10 }, async () => through(load)));
    expect(fills.mock.calls.filter((call) => call.length === 7)).toHaveLength(1);
    fills.mockRestore();
    expect(await world.redis.get(valueKey())).toBe('rows');
  });

  it('answers a failed read by its error, and lets the next reader fill when the lease has run out', async () => {
    await expect(through(async () => Promise.reject(new Error('database')))).rejects.toThrow('database');
    expect(await world.redis.pttl(leaseKey())).toBeLessThanOrEqual(5000);
    expect(await through(async () => 'busy')).toBe('busy');
    expect(await world.redis.exists(valueKey())).toBe(0);
    await world.redis.del(leaseKey());
    await through(async () => 'filled');
    expect(await world.redis.get(valueKey())).toBe('filled');
  });
});

describe('S0.16 invalidation', () => {
  it('keeps out what was read before it, however late the reader comes', async () => {
    let state = 'old';
    const stale = await through(async () => {
      const read = state;
      state = 'new';
      await drop();
      return read;
    });
    expect(stale).toBe('old');
    expect(await world.redis.exists(valueKey())).toBe(0);
    expect(await through(async () => state)).toBe('new');
  });

  it('keeps out the late reader also when another one has filled since', async () => {
    await through(async () => {
      await drop();
      await through(async () => 'new');
      return 'old';
    });
    expect(await through(async () => 'unread')).toBe('new');
  });

  it('drops a whole batch by one command', async () => {
    const users = Array.from({ length: 64 }, (_, n) => `${userId}${n}`);
    for (const user of users) await world.cache.through(world.tenantId, user, async () => 'rows');
    const commands = vi.spyOn(world.redis, 'sendCommand');
    const given = users.map((user) => ({ userId: user, sourceId: planId }));
    await world.handler.afterCommit(world.tenantId, given);
    expect(commands).toHaveBeenCalledTimes(1);
    commands.mockRestore();
    expect(await world.redis.exists(users.map((user) => `{${world.tenantId}}:subs:${user}`))).toBe(0);
  });

  it('shows the new state to the user after the commit and the old one before it', async () => {
    const plan = await world.addPlan({ unitTime: 'DAY' });
    expect(await world.service.mine(world.tenantId, userId)).toEqual([]);
    await world.transactions.run(world.tenantId, async (inside) => {
      await world.giveInside(inside, [{ userId, planId: plan.id }]);
      expect(await world.service.mine(world.tenantId, userId)).toEqual([]);
    });
    await world.handler.afterCommit(world.tenantId, [{ userId, sourceId: plan.id }]);
    const [first] = await world.service.mine(world.tenantId, userId);
    expect(first).toMatchObject({ planId: plan.id, status: 'ACTIVE' });
    await world.give({ userId, planId: plan.id });
    const [second] = await world.service.mine(world.tenantId, userId);
    expect(second?.expiresAt?.getTime()).toBe((first?.expiresAt?.getTime() ?? 0) + 86_400_000);
  });

  it('never leaves an old state behind while readers and redemptions run side by side', async () => {
    const plan = await world.addPlan({ unitTime: 'HOUR' });
    const read = async () => world.service.mine(world.tenantId, userId);
    await Promise.all(
      Array.from({ length: 15 }, async () => {
        await read();
        await world.give({ userId, planId: plan.id });
        await Promise.all([read(), read()]);
      }),
    );
    const [stored] = await world.em().find(Subscription, { userId }, { disableIdentityMap: true });
    expect((await read())[0]?.expiresAt).toEqual(stored?.expiresAt);
  });
});

describe('without Redis', () => {
  const unreachable = () => connectRedis('redis://127.0.0.1:1', 200);

  it('reads from the database, and an invalidation neither throws nor hangs', async () => {
    const redis = unreachable();
    const cache = new SubscriptionCache(redis);
    const service = new SubscriptionService(world.orm, cache, world.clock);
    const { orm, ids, plans, log } = world;
    const handler = new SubscriptionRewardHandler({ orm, ids, plans, cache, log });
    const plan = await world.addPlan();
    const id = await world.addSubscription(userId, plan.id);
    expect(await service.mine(world.tenantId, userId)).toMatchObject([{ id }]);
    await handler.afterCommit(world.tenantId, [{ userId, sourceId: plan.id }]);
    await expect(cache.drop(world.tenantId, [{ userId, planId }])).rejects.toThrow(/redis/);
    redis.disconnect();
  });

  it('reads what is stored in another shape from the database', async () => {
    const plan = await world.addPlan();
    const id = await world.addSubscription(userId, plan.id);
    await world.redis.set(valueKey(), '[{"id":"1"}]');
    expect(await world.service.mine(world.tenantId, userId)).toMatchObject([{ id }]);
  });
});
