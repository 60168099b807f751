import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { Order } from '../../src/orders/orders/order.entity.js';
import { addUnits, LAST_INSTANT_MS } from '../../src/rewards/calendar.js';
import type { RewardOutcome } from '../../src/rewards/reward-handler.js';
import { Plan } from '../../src/subscriptions/plan.entity.js';
import {
  openSubscriptionWorld,
  ruleOf,
  type Given,
  type SubscriptionWorld,
} from '../support/subscription-world.js';

let world: SubscriptionWorld;
beforeAll(async () => {
  world = await openSubscriptionWorld(inject('databaseUrl'), inject('redisUrl'));
});
afterAll(async () => world?.close());

const HOUR_MS = 3_600_000;
const outcome = (given: Given | undefined): RewardOutcome => {
  if (given === undefined || 'refused' in given) throw new Error(`Refused: ${given?.refused}`);
  return given;
};
const ordersOf = async (userId: string) => world.em().find(Order, { userId }, { disableIdentityMap: true });
const inventoryOf = async (id: string) =>
  (await world.em().findOneOrFail(Plan, { id }, { disableIdentityMap: true })).inventory;

describe('S0.12 the same plan again', () => {
  it('moves the end and keeps token, uuid and start', async () => {
    const [userId, plan] = [await world.addUser(), await world.addPlan()];
    const startedAt = new Date(Date.UTC(2026, 0, 31, 10));
    const expiresAt = new Date(Date.UTC(2030, 0, 31, 10, 20, 30, 456));
    const id = await world.addSubscription(userId, plan.id, { startedAt, expiresAt });
    const [before] = await world.held(userId);
    const [given] = await world.give({ userId, planId: plan.id, unit: 'MONTH', quantity: 1 });
    expect(outcome(given).targetId).toBe(id);
    const after = await world.held(userId);
    expect(after).toHaveLength(1);
    expect(after[0]).toMatchObject({
      id,
      token: before?.token,
      uuid: before?.uuid,
      startedAt,
      orderId: before?.orderId,
      status: 'ACTIVE',
      expiresAt: new Date(Date.UTC(2030, 1, 28, 10, 20, 30, 456)),
    });
  });

  it.each(['ACTIVE', 'EXPIRED', 'FINISHED'] as const)(
    'counts from now when it was %s and has ended',
    async (status) => {
      const [userId, plan] = [await world.addUser(), await world.addPlan()];
      const atMs = world.clock.nowMs();
      await world.addSubscription(userId, plan.id, { status, expiresAt: new Date(atMs - 1) });
      await world.give({ userId, planId: plan.id, unit: 'HOUR', quantity: 2, atMs });
      const rows = await world.held(userId);
      expect(rows.map((row) => [row.status, row.expiresAt?.getTime()])).toEqual([
        ['ACTIVE', atMs + 2 * HOUR_MS],
      ]);
    },
  );

  it('leaves without an end what has none, and takes the end from what is given NO_LIMIT', async () => {
    const [userId, plan, other] = [await world.addUser(), await world.addPlan(), await world.addPlan()];
    await world.addSubscription(userId, plan.id, { expiresAt: null });
    await world.addSubscription(userId, other.id);
    await world.give(
      { userId, planId: plan.id, unit: 'DAY' },
      { userId, planId: other.id, unit: 'NO_LIMIT' },
    );
    const rows = await world.held(userId);
    expect(rows.map((row) => row.expiresAt)).toEqual([null, null]);
  });

  it("takes the plan's unit where the rule names none, and stops at the last instant", async () => {
    const [userId, plan] = [await world.addUser(), await world.addPlan({ unitTime: 'YEAR' })];
    const expiresAt = new Date(Date.UTC(2027, 1, 28));
    await world.addSubscription(userId, plan.id, { expiresAt });
    await world.give({ userId, planId: plan.id, quantity: 3 });
    expect((await world.held(userId))[0]?.expiresAt).toEqual(new Date(Date.UTC(2030, 1, 28)));
    await world
      .em()
      .execute('update subscription set expires_at = ? where tenant_id = ? and user_id = ?', [
        '9990-01-01 00:00:00.000',
        world.tenantId,
        userId,
      ]);
    await world.give({ userId, planId: plan.id, quantity: 100 });
    expect((await world.held(userId))[0]?.expiresAt?.getTime()).toBe(LAST_INSTANT_MS);
  });

  it('renews the traffic as the plan now says, and leaves the count of a plan without a limit', async () => {
    const [userId, plan, free] = [
      await world.addUser(),
      await world.addPlan({ trafficBytes: 2 ** 45 }),
      await world.addPlan(),
    ];
    await world.addSubscription(userId, plan.id, {
      status: 'FINISHED',
      trafficBytes: 100,
      trafficUsedBytes: 100,
    });
    await world.addSubscription(userId, free.id, { trafficBytes: 0, trafficUsedBytes: 77 });
    await world.give({ userId, planId: plan.id }, { userId, planId: free.id });
    const rows = await world.held(userId);
    expect(rows.map((row) => [row.status, row.trafficBytes, row.trafficUsedBytes])).toEqual([
      ['ACTIVE', 2 ** 45, 0],
      ['ACTIVE', 0, 77],
    ]);
  });

  it('extends the newest that runs, and else the newest that has ended', async () => {
    const [userId, plan] = [await world.addUser(), await world.addPlan()];
    const past = { status: 'EXPIRED' as const, expiresAt: new Date(world.clock.nowMs() - HOUR_MS) };
    await world.addSubscription(userId, plan.id, past);
    const newest = await world.addSubscription(userId, plan.id, past);
    const [first] = await world.give({ userId, planId: plan.id });
    expect(outcome(first).targetId).toBe(newest);
    await world.addSubscription(userId, plan.id, past);
    const [second] = await world.give({ userId, planId: plan.id });
    expect(outcome(second).targetId).toBe(newest);
    await world.addSubscription(userId, plan.id, { status: 'STOPPED' });
    await world.addSubscription(userId, plan.id, { status: 'DEDUCTED' });
    const [third] = await world.give({ userId, planId: plan.id });
    expect(outcome(third).targetId).toBe(newest);
  });

  it("touches neither another user's, another plan's nor another tenant's subscription", async () => {
    const [userId, other, plan, otherPlan] = [
      await world.addUser(),
      await world.addUser(),
      await world.addPlan(),
      await world.addPlan(),
    ];
    await world.addSubscription(userId, plan.id);
    await world.addSubscription(userId, otherPlan.id);
    await world.addSubscription(other, plan.id);
    await world.em().execute(
      `insert into subscription (tenant_id, id, user_id, plan_id, order_id, status, token, uuid, started_at, expires_at, traffic_bytes, traffic_used_bytes, updated_at)
       select 'T_foreign', id, user_id, plan_id, order_id, status, reverse(token), uuid, started_at, expires_at, traffic_bytes, traffic_used_bytes, updated_at
         from subscription where tenant_id = ? and user_id = ?`,
      [world.tenantId, userId],
    );
    const ends = async () =>
      world
        .em()
        .execute(
          'select tenant_id, id, expires_at from subscription where user_id in (?) order by tenant_id, id',
          [[userId, other]],
        );
    const before = await ends();
    await world.give({ userId, planId: plan.id });
    const after = await ends();
    const differing = after.filter((row, n) => JSON.stringify(row) !== JSON.stringify(before[n]));
    expect([before.length, after.length, differing.length, differing[0]?.['tenant_id']]).toEqual([
      5,
      5,
      1,
      world.tenantId,
    ]);
  });
});

describe('S0.13 no subscription yet', () => {
  it('makes one row with the traffic of the plan and new secrets, and links the order', async () => {
    const plan = await world.addPlan({ trafficBytes: 5_000_000_000 });
    const users = [await world.addUser(), await world.addUser()];
    const atMs = Date.UTC(2027, 0, 31, 1, 2, 3, 4);
    const given = await world.give(...users.map((userId) => ({ userId, planId: plan.id, atMs })));
    const rows = (await Promise.all(users.map(world.held))).flat();
    expect(rows).toHaveLength(2);
    for (const [n, row] of rows.entries()) {
      const [order] = await ordersOf(row.userId);
      expect(order).toMatchObject({
        type: 'REDEMPTION',
        status: 'FINISHED',
        subscriptionId: row.id,
        amount: '0.0000000000',
      });
      expect(row).toMatchObject({
        id: outcome(given[n]).targetId,
        planId: plan.id,
        orderId: order?.id,
        status: 'ACTIVE',
        startedAt: new Date(atMs),
        expiresAt: new Date(Date.UTC(2027, 1, 28, 1, 2, 3, 4)),
        trafficBytes: 5_000_000_000,
        trafficUsedBytes: 0,
      });
      expect(row.token).toMatch(/^[\w-]{32}$/);
      expect(row.uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    }
    expect(new Set(rows.flatMap((row) => [row.token, row.uuid])).size).toBe(4);
  });

  it('starts once and extends itself when one batch gives the plan to a user three times', async () => {
    const [userId, plan] = [await world.addUser(), await world.addPlan({ inventory: 1 })];
    const atMs = Date.UTC(2027, 4, 5);
    const gift = { userId, planId: plan.id, unit: 'DAY' as const, quantity: 2, atMs };
    const given = await world.give(gift, gift, gift);
    expect(new Set(given.map((each) => outcome(each).targetId)).size).toBe(1);
    const rows = await world.held(userId);
    expect(rows.map((row) => row.expiresAt?.getTime())).toEqual([addUnits(atMs, 'DAY', 6)]);
    expect(await inventoryOf(plan.id)).toBe(0);
  });

  it('starts an endless one without a limit of traffic', async () => {
    const [userId, plan] = [await world.addUser(), await world.addPlan({ unitTime: 'NO_LIMIT' })];
    await world.give({ userId, planId: plan.id });
    expect(await world.held(userId)).toMatchObject([{ expiresAt: null, trafficBytes: 0 }]);
  });
});

describe('S0.14 what a plan allows', () => {
  /** What the precheck and the session answer; both write nothing when they refuse, which is checked here too. */
  const ask = async (planId: string, userId: string) => {
    const before = JSON.stringify([await world.held(userId), await ordersOf(userId)]);
    const rules = [ruleOf({ userId, planId })];
    const precheck = await world.handler.precheck(world.tenantId, userId, rules, world.clock.nowMs());
    const [given] = await world.give({ userId, planId });
    if (given === undefined || !('refused' in given)) return [precheck, null];
    expect(JSON.stringify([await world.held(userId), await ordersOf(userId)])).toBe(before);
    return [precheck, given.refused];
  };
  const granted = [null, null];
  const soldOut = ['PLAN_SOLD_OUT', 'PLAN_SOLD_OUT'];

  it('extends a live subscription of the user at quota 1', async () => {
    const [userId, plan] = [await world.addUser(), await world.addPlan({ quotaPerUser: 1 })];
    await world.addSubscription(userId, plan.id);
    expect(await ask(plan.id, userId)).toEqual(granted);
    expect(await world.held(userId)).toHaveLength(1);
  });

  it('refuses at quota with nothing to extend, and makes no order', async () => {
    const [userId, plan] = [await world.addUser(), await world.addPlan({ quotaPerUser: 2 })];
    await world.addSubscription(userId, plan.id, { status: 'PENDING' });
    await world.addSubscription(userId, plan.id, { status: 'PENDING', expiresAt: null });
    expect(await ask(plan.id, userId)).toEqual(['PLAN_QUOTA_REACHED', 'PLAN_QUOTA_REACHED']);
  });

  it('counts neither what has ended, was stopped or deducted, nor other users and plans', async () => {
    const [userId, other] = [await world.addUser(), await world.addUser()];
    const [plan, otherPlan] = [await world.addPlan({ quotaPerUser: 1 }), await world.addPlan()];
    const past = new Date(world.clock.nowMs() - 1);
    await world.addSubscription(userId, plan.id, { status: 'PENDING', expiresAt: past });
    for (const status of ['STOPPED', 'DEDUCTED'] as const)
      await world.addSubscription(userId, plan.id, { status });
    await world.addSubscription(other, plan.id, { status: 'PENDING' });
    await world.addSubscription(userId, otherPlan.id, { status: 'PENDING' });
    expect(await ask(plan.id, userId)).toEqual(granted);
    expect(await world.held(userId)).toHaveLength(5);
  });

  it('refuses a new subscription of a plan that is sold out, and extends one', async () => {
    const [userId, plan] = [await world.addUser(), await world.addPlan({ inventory: 0 })];
    expect(await ask(plan.id, userId)).toEqual(soldOut);
    await world.addSubscription(userId, plan.id);
    expect(await ask(plan.id, userId)).toEqual(granted);
  });

  it('starts and extends a plan that is not for sale: that rules purchases only', async () => {
    const [userId, plan] = [await world.addUser(), await world.addPlan({ sell: false })];
    expect(await ask(plan.id, userId)).toEqual(granted);
    expect(await ask(plan.id, userId)).toEqual(granted);
    expect(await world.held(userId)).toHaveLength(1);
  });

  it.each(['', '0', 'x', '1 or 1=1', '9223372036854775807', '99999999999999999999'])(
    'refuses the unknown plan "%s"',
    async (planId) => {
      expect(await ask(planId, await world.addUser())).toEqual(soldOut);
    },
  );

  it('S4.1 refuses a plan of another tenant', async () => {
    const foreign = await openSubscriptionWorld(inject('databaseUrl'), inject('redisUrl'));
    const plan = await foreign.addPlan();
    expect(await ask(plan.id, await world.addUser())).toEqual(soldOut);
    await foreign.close();
  });

  it('judges by the locked row when the precheck was late', async () => {
    const [userId, plan] = [await world.addUser(), await world.addPlan()];
    await world.plans.find(world.tenantId, plan.id);
    await world.em().nativeUpdate(Plan, { id: plan.id }, { inventory: 0 });
    expect(await world.give({ userId, planId: plan.id })).toEqual([{ refused: 'PLAN_SOLD_OUT' }]);
  });

  it('refuses in one batch only those that the inventory does not reach', async () => {
    const plan = await world.addPlan({ inventory: 2 });
    const users = [await world.addUser(), await world.addUser(), await world.addUser()];
    const given = await world.give(...users.map((userId) => ({ userId, planId: plan.id })));
    expect(given.map((each) => 'refused' in each)).toEqual([false, false, true]);
    expect(await inventoryOf(plan.id)).toBe(0);
  });
});

describe('S0.8 the same redemption again', () => {
  it('extends once when it is delivered five times', async () => {
    const [userId, plan] = [await world.addUser(), await world.addPlan()];
    const expiresAt = new Date(Date.UTC(2031, 0, 1));
    await world.addSubscription(userId, plan.id, { expiresAt });
    const gift = { userId, planId: plan.id, unit: 'DAY' as const, redemptionId: world.ids.next() };
    const tries = await Promise.allSettled(Array.from({ length: 5 }, async () => world.give(gift)));
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect((await world.held(userId))[0]?.expiresAt).toEqual(new Date(Date.UTC(2031, 0, 2)));
    expect(await ordersOf(userId)).toHaveLength(1);
  });
});

describe('races', () => {
  it('S0.12 moves the end by exactly 20 units for 20 parallel transactions', async () => {
    const [userId, plan] = [await world.addUser(), await world.addPlan({ trafficBytes: 10 })];
    const expiresAt = new Date(Date.UTC(2030, 5, 1));
    await world.addSubscription(userId, plan.id, { expiresAt });
    const gift = { userId, planId: plan.id, unit: 'DAY' as const };
    await Promise.all(Array.from({ length: 20 }, async () => world.give(gift)));
    const rows = await world.held(userId);
    expect(rows.map((row) => row.expiresAt)).toEqual([new Date(Date.UTC(2030, 5, 21))]);
    expect(await ordersOf(userId)).toHaveLength(20);
  });

  it('S0.14 leaves exactly one live subscription at quota 1 after 10 parallel first ones', async () => {
    const [userId, plan] = [await world.addUser(), await world.addPlan({ quotaPerUser: 1 })];
    const atMs = Date.UTC(2027, 0, 1);
    await Promise.all(
      Array.from({ length: 10 }, async () => world.give({ userId, planId: plan.id, unit: 'HOUR', atMs })),
    );
    const rows = await world.held(userId);
    expect(rows.map((row) => [row.status, row.expiresAt?.getTime()])).toEqual([
      ['ACTIVE', atMs + 10 * HOUR_MS],
    ]);
  });

  it('sells an inventory of 5 to exactly 5 of 20 users', async () => {
    const plan = await world.addPlan({ inventory: 5 });
    const users = await Promise.all(Array.from({ length: 20 }, world.addUser));
    const given = await Promise.all(users.map(async (userId) => world.give({ userId, planId: plan.id })));
    expect(given.flat().filter((each) => !('refused' in each))).toHaveLength(5);
    expect((await Promise.all(users.map(world.held))).flat()).toHaveLength(5);
    expect(await inventoryOf(plan.id)).toBe(0);
  });

  it('holds an inventory also where every process believes that it has none', async () => {
    const plan = await world.addPlan();
    await world.plans.find(world.tenantId, plan.id);
    await world.em().nativeUpdate(Plan, { id: plan.id }, { inventory: 3 });
    const users = await Promise.all(Array.from({ length: 6 }, world.addUser));
    const given = await Promise.allSettled(
      users.map(async (userId) => world.give({ userId, planId: plan.id })),
    );
    const sold = given.filter(
      (each) => each.status === 'fulfilled' && !('refused' in (each.value[0] ?? {})),
    ).length;
    expect(sold).toBeLessThanOrEqual(3);
    expect((await Promise.all(users.map(world.held))).flat()).toHaveLength(sold);
    expect(await inventoryOf(plan.id)).toBe(3 - sold);
  });

  it('S0.7 takes nothing from a batch whose transaction fails after the write', async () => {
    const [userId, plan] = [await world.addUser(), await world.addPlan({ inventory: 1 })];
    const failing = world.transactions.run(world.tenantId, async (inside) => {
      await world.giveInside(inside, [{ userId, planId: plan.id }]);
      throw new Error('planted');
    });
    await expect(failing).rejects.toThrow('planted');
    expect([await world.held(userId), await ordersOf(userId), await inventoryOf(plan.id)]).toEqual([
      [],
      [],
      1,
    ]);
  });
});
