import { describe, expect, inject, it, vi } from 'vitest';
import { Order, type OrderStatus, type OrderType } from '../../src/orders/orders/order.entity.js';
import { OutboxEvent } from '../../src/platform/outbox/outbox.entity.js';
import { Outbox } from '../../src/platform/outbox/outbox.js';
import { Subscription } from '../../src/subscriptions/subscription.entity.js';
import { openBeforeAll } from '../support/open-before-all.js';
import { openSubscriptionWorld, type SubscriptionWorld } from '../support/subscription-world.js';
import { createScratchDatabase, type ScratchDatabase } from '../support/scratch-database.js';

let database: ScratchDatabase;
let world: SubscriptionWorld;
openBeforeAll(async (closing) => {
  // The sweep is for all tenants, so that of another test must not come in between.
  database = await closing(createScratchDatabase());
  world = await closing(openSubscriptionWorld(database.databaseUrl, inject('redisUrl')));
});

const ago = (ms: number) => new Date(world.clock.nowMs() - ms);
const statusOf = async (id: string) =>
  (await world.em().findOneOrFail(Subscription, { id }, { disableIdentityMap: true })).status;

describe('mySubscriptions', () => {
  it('lists newest first, own ones only, with the status as of now', async () => {
    const [userId, other, plan] = [await world.addUser(), await world.addUser(), await world.addPlan()];
    const running = await world.addSubscription(userId, plan.id, { trafficBytes: 10, trafficUsedBytes: 9 });
    const ended = await world.addSubscription(userId, plan.id, { expiresAt: ago(0) });
    const usedUp = await world.addSubscription(userId, plan.id, { trafficBytes: 10, trafficUsedBytes: 10 });
    const endless = await world.addSubscription(userId, plan.id, { expiresAt: null, trafficUsedBytes: 5 });
    const stopped = await world.addSubscription(userId, plan.id, { status: 'STOPPED', expiresAt: ago(1) });
    await world.addSubscription(other, plan.id);
    for (let reads = 0; reads < 2; reads += 1) {
      const mine = await world.service.mine(world.tenantId, userId);
      expect(mine.map(({ id, status }) => [id, status])).toEqual([
        [stopped, 'STOPPED'],
        [endless, 'ACTIVE'],
        [usedUp, 'FINISHED'],
        [ended, 'EXPIRED'],
        [running, 'ACTIVE'],
      ]);
    }
  });

  it('answers the same from the cache as from the database, and nothing of other tenants', async () => {
    const [userId, plan] = [await world.addUser(), await world.addPlan({ trafficBytes: 2 ** 53 - 1 })];
    await world.give({ userId, planId: plan.id });
    const [row] = await world.held(userId);
    const fresh = await world.service.mine(world.tenantId, userId);
    expect(await world.service.mine(world.tenantId, userId)).toEqual(fresh);
    expect(fresh).toEqual([
      {
        id: row?.id,
        planId: plan.id,
        status: 'ACTIVE',
        token: row?.token,
        uuid: row?.uuid,
        startedAt: row?.startedAt,
        expiresAt: row?.expiresAt,
        trafficBytes: 2 ** 53 - 1,
        trafficUsedBytes: 0,
      },
    ]);
    expect(await world.service.mine('T_other', userId)).toEqual([]);
  });

  it('shows a subscription as expired from its end on, without a new read', async () => {
    const [userId, plan] = [await world.addUser(), await world.addPlan({ unitTime: 'MINUTE' })];
    const atMs = world.clock.nowMs();
    await world.give({ userId, planId: plan.id, atMs });
    expect((await world.service.mine(world.tenantId, userId))[0]?.status).toBe('ACTIVE');
    const offsetMs = world.clock.offsetMs;
    world.clock.offsetMs += atMs + 60_000 - world.clock.nowMs();
    expect((await world.service.mine(world.tenantId, userId))[0]?.status).toBe('EXPIRED');
    world.clock.offsetMs = offsetMs;
  });
});

describe('the sweep', () => {
  it('moves what has ended, leaves the rest, tells the subscribers, and does nothing the second time', async () => {
    const [userId, plan] = [await world.addUser(), await world.addPlan()];
    const add = async (state: Partial<Subscription>) => world.addSubscription(userId, plan.id, state);
    const moved = [
      [await add({ expiresAt: ago(0) }), 'EXPIRED'],
      [await add({ expiresAt: ago(5), trafficBytes: 1, trafficUsedBytes: 1 }), 'EXPIRED'],
      [await add({ trafficBytes: 10, trafficUsedBytes: 11 }), 'FINISHED'],
      [await add({ trafficBytes: 10, trafficUsedBytes: 10, expiresAt: null }), 'FINISHED'],
    ];
    const left = [
      [await add({ expiresAt: null }), 'ACTIVE'],
      [await add({ trafficBytes: 0, trafficUsedBytes: 99 }), 'ACTIVE'],
      [await add({ trafficBytes: 10, trafficUsedBytes: 9 }), 'ACTIVE'],
      [await add({ status: 'STOPPED', expiresAt: ago(5) }), 'STOPPED'],
      [await add({ status: 'PENDING', expiresAt: ago(5) }), 'PENDING'],
    ];
    await world.service.mine(world.tenantId, userId);
    await world.jobs.sweepSubscriptions();
    for (const [id, status] of [...moved, ...left]) expect(await statusOf(id ?? '')).toBe(status);
    expect(await world.redis.exists(`{${world.tenantId}}:subs:${userId}`)).toBe(0);
    await world.jobs.sweepSubscriptions();
    const events = await world.em().find(OutboxEvent, { userId });
    expect(events).toHaveLength(moved.length);
    expect(new Set(events.map(({ payload }) => payload['subscriptionId']))).toEqual(
      new Set(moved.map(([id]) => id)),
    );
  });

  it('takes each once when four workers run at once, and leaves out what is locked', async () => {
    const [userId, plan] = [await world.addUser(), await world.addPlan()];
    const ids: string[] = [];
    for (let n = 0; n < 30; n += 1)
      ids.push(await world.addSubscription(userId, plan.id, { expiresAt: ago(n) }));
    const locked = ids[7] ?? '';
    await world.transactions.run(world.tenantId, async (inside) => {
      await inside.execute('select id from subscription where tenant_id = ? and id = ? for update', [
        world.tenantId,
        locked,
      ]);
      await Promise.all(Array.from({ length: 4 }, async () => world.jobs.sweepSubscriptions()));
      const [{ left } = { left: null }] = await inside.execute<{ left: unknown }[]>(
        "select count(*) as `left` from subscription where tenant_id = ? and user_id = ? and status = 'ACTIVE'",
        [world.tenantId, userId],
      );
      expect(Number(left)).toBe(1);
    });
    await world.jobs.sweepSubscriptions();
    expect(await statusOf(locked)).toBe('EXPIRED');
    const events = await world.em().find(OutboxEvent, { userId });
    expect(new Set(events.map(({ payload }) => payload['subscriptionId']))).toEqual(new Set(ids));
    expect(events).toHaveLength(30);
  });

  it('S0.16 moves each of 600 once when eight workers on four pools race with extensions of the same users', async () => {
    const others = await Promise.all(
      [1, 2, 3].map(async () => openSubscriptionWorld(database.databaseUrl, inject('redisUrl'))),
    );
    try {
      const plan = await world.addPlan({ unitTime: 'YEAR', trafficBytes: 10 });
      const users: string[] = [];
      for (let n = 0; n < 20; n += 1) users.push(await world.addUser());
      const add = async (n: number) => {
        const state = n % 2 === 0 ? { expiresAt: ago(1) } : { trafficBytes: 5, trafficUsedBytes: 5 };
        return world.addSubscription(users[n % 20] ?? '', plan.id, state);
      };
      for (let n = 0; n < 600; n += 50)
        await Promise.all(Array.from({ length: 50 }, async (_, at) => add(n + at)));
      const workers = [world, ...others].flatMap(({ jobs }) => [jobs, jobs]);
      const swept = workers.map(async (jobs) => jobs.sweepSubscriptions());
      const given = users.map(async (userId) => world.give({ userId, planId: plan.id }));
      await Promise.all([...swept, ...given]);
      for (const jobs of workers) await jobs.sweepSubscriptions();
      // One of each user was extended, before it was swept or afterwards; all others are at rest.
      const rows = await world.em().find(Subscription, { planId: plan.id }, { disableIdentityMap: true });
      expect(rows).toHaveLength(600);
      const running = rows.filter(({ status }) => status === 'ACTIVE');
      expect(running.map(({ userId }) => userId).toSorted()).toEqual(users.toSorted());
      expect(rows.filter(({ status }) => status === 'EXPIRED' || status === 'FINISHED')).toHaveLength(580);
      const events = await world.em().find(OutboxEvent, { userId: { $in: users } });
      const told = events.filter(({ type }) => type === 'subscription_invalidated');
      const ended = told.map(({ payload }) => String(payload['subscriptionId']));
      expect(ended).toHaveLength(new Set(ended).size);
      const atRest = rows.filter(({ status }) => status !== 'ACTIVE').map(({ id }) => id);
      expect(atRest.filter((id) => !ended.includes(id))).toEqual([]);
    } finally {
      await Promise.all(others.map(async (other) => other.close()));
    }
  });

  it('ends those of the other tenants when the sweep of one fails, which has more of them and for longer', async () => {
    const other = await openSubscriptionWorld(database.databaseUrl, inject('redisUrl'));
    try {
      const [userId, plan] = [await world.addUser(), await world.addPlan()];
      const first = await world.addSubscription(userId, plan.id, { expiresAt: ago(86_400_000) });
      // One more than a batch.
      await Promise.all(
        Array.from({ length: 500 }, async () =>
          world.addSubscription(userId, plan.id, { expiresAt: ago(86_400_000) }),
        ),
      );
      const [otherUser, otherPlan] = [await other.addUser(), await other.addPlan()];
      const others = await other.addSubscription(otherUser, otherPlan.id, { expiresAt: ago(1) });
      const append = Outbox.prototype.append;
      const failing = vi.spyOn(Outbox.prototype, 'append').mockImplementation(function (
        this: Outbox,
        em,
        tenantId,
        drafts,
      ) {
        if (tenantId === world.tenantId) throw new Error('A fault of this tenant.');
        append.call(this, em, tenantId, drafts);
      });
      await world.jobs.sweepSubscriptions();
      failing.mockRestore();
      const ended = await other
        .em()
        .findOneOrFail(Subscription, { id: others }, { disableIdentityMap: true });
      expect(ended.status).toBe('EXPIRED');
      await world.jobs.sweepSubscriptions();
      expect(await statusOf(first)).toBe('EXPIRED');
    } finally {
      await other.close();
    }
  });

  it('S0.12 brings back to life what it has ended', async () => {
    const [userId, plan] = [
      await world.addUser(),
      await world.addPlan({ unitTime: 'DAY', trafficBytes: 10 }),
    ];
    const id = await world.addSubscription(userId, plan.id, { expiresAt: ago(1) });
    await world.jobs.sweepSubscriptions();
    await world.give({ userId, planId: plan.id });
    expect(await statusOf(id)).toBe('ACTIVE');
    await world.jobs.sweepSubscriptions();
    expect(await statusOf(id)).toBe('ACTIVE');
  });
});

describe('S0.15 is_new', () => {
  const pay = async (userId: string, type: OrderType, status: OrderStatus, tenantId = world.tenantId) => {
    const at = new Date(world.clock.nowMs());
    const order = {
      tenantId,
      id: world.ids.next(),
      userId,
      type,
      status,
      amount: '9.90',
      isNew: true,
    };
    await world.em().insert(Order, { ...order, subscriptionId: null, createdAt: at, finishedAt: at });
  };
  const redeemNew = async (userId: string, planId: string) => {
    await world.give({ userId, planId });
    return (await world.orders.list(world.tenantId, { offset: 0, size: 1 }, { userId })).items[0]?.isNew;
  };

  it('stays true over redemptions and unpaid orders, and ends with the first paid purchase', async () => {
    const [userId, plan] = [await world.addUser(), await world.addPlan()];
    expect(await redeemNew(userId, plan.id)).toBe(true);
    expect(await redeemNew(userId, plan.id)).toBe(true);
    for (const status of ['PENDING', 'CLOSED', 'FAILED'] as const) await pay(userId, 'PURCHASE', status);
    for (const type of ['RESET_TRAFFIC', 'RECHARGE'] as const) await pay(userId, type, 'FINISHED');
    expect(await redeemNew(userId, plan.id)).toBe(true);
    await pay(userId, 'PURCHASE', 'PAID');
    expect(await redeemNew(userId, plan.id)).toBe(false);
  });

  it.each([
    ['PURCHASE', 'PAID'],
    ['PURCHASE', 'FINISHED'],
    // It was paid, so the next one is not the first.
    ['PURCHASE', 'REFUNDED'],
    ['RENEWAL', 'PAID'],
    ['RENEWAL', 'FINISHED'],
  ] as const)('is used up by a %s that is %s, for this user and tenant only', async (type, status) => {
    const [userId, other] = [await world.addUser(), await world.addUser()];
    await pay(userId, type, status);
    await pay(userId, type, status);
    const paid = await world.orders.usersWithPaidOrder(world.em(), world.tenantId, [userId, other]);
    expect(paid).toEqual(new Set([userId]));
    expect(await world.orders.usersWithPaidOrder(world.em(), 'T_other', [userId])).toEqual(new Set());
    expect(await world.orders.usersWithPaidOrder(world.em(), world.tenantId, [])).toEqual(new Set());
  });
});

describe('orders', () => {
  it('shows users their own, staff all, and none of another tenant', async () => {
    const [userId, other, plan] = [await world.addUser(), await world.addUser(), await world.addPlan()];
    const redemptionId = world.ids.next();
    const [given] = await world.give({ userId, planId: plan.id, redemptionId });
    const found = await world.orders.find(world.tenantId, redemptionId, userId);
    expect(found).toMatchObject({ id: redemptionId, type: 'REDEMPTION', status: 'FINISHED', userId });
    expect(given).toMatchObject({ targetId: found?.subscriptionId });
    expect(await world.orders.find(world.tenantId, redemptionId, null)).not.toBeNull();
    expect(await world.orders.find(world.tenantId, redemptionId, other)).toBeNull();
    expect(await world.orders.find('T_other', redemptionId, null)).toBeNull();
    for (const wrong of ['', '0', 'x', `${redemptionId}' or '1'='1`, `${redemptionId}.0`]) {
      expect(await world.orders.find(world.tenantId, wrong, null)).toBeNull();
    }
  });

  it('lists newest first by page with the exact total', async () => {
    const [userId, plan] = [await world.addUser(), await world.addPlan()];
    const made: string[] = [];
    for (let n = 0; n < 5; n += 1) {
      made.push(world.ids.next());
      await world.give({ userId, planId: plan.id, redemptionId: made[n] ?? '' });
    }
    const page = await world.orders.list(world.tenantId, { offset: 2, size: 2 }, { userId });
    expect([page.total, page.items.map(({ id }) => id)]).toEqual([5, [made[2], made[1]]]);
    expect((await world.orders.list(world.tenantId, { offset: 6, size: 2 }, { userId })).items).toEqual([]);
    expect((await world.orders.list(world.tenantId, { offset: 0, size: 2 })).total).toBeGreaterThan(5);
  });

  it('S0.11 writes the order of a redemption that was given up as FAILED', async () => {
    const userId = await world.addUser();
    const id = world.ids.next();
    const at = new Date(world.clock.nowMs());
    const order = { id, userId, isNew: true, subscriptionId: null, createdAt: at, finishedAt: at };
    await world.orders.insertFailedOrders(world.em(), world.tenantId, [order]);
    expect(await world.orders.find(world.tenantId, id, userId)).toMatchObject({
      status: 'FAILED',
      type: 'REDEMPTION',
    });
  });
});
