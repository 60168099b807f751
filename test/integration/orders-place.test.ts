import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OrderPlacement } from '../../src/orders/orders/order-placement.entity.js';
import {
  contentsOf,
  CURRENCY,
  expectClean,
  giveCoupon,
  givePoints,
  holdingsOf,
  inventoryOf,
  openShop,
  place,
  refusalOf,
  shopper,
  type Shop,
} from '../support/orders.js';
import { emOf, openWorld, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => world?.close());

const MINUTE_MS = 60_000;

describe('an order that is placed', () => {
  it('costs the price times the quantity, and waits half an hour for its payment', async () => {
    const shop = await openShop(world, { unitPrice: '9.995' });
    const userId = await shopper(world, shop);
    const order = await place(world, shop, userId, { quantity: 3 });
    expect(order).toMatchObject({
      userId,
      type: 'PURCHASE',
      sourceType: 'MALL',
      status: 'PENDING',
      isNew: false,
      planId: shop.planId,
      quantity: 3,
      currency: CURRENCY,
      facilityId: shop.facilityId,
      pointsSpent: 0,
      closedAt: null,
    });
    // 29.985, rounded half to even.
    expect([Number(order.total), Number(order.discount), Number(order.amount)]).toEqual([29.98, 0, 29.98]);
    const placement = await emOf(world, shop.tenantId).findOneOrFail(OrderPlacement, { orderId: order.id });
    expect(placement.dueAt?.getTime()).toBe(order.createdAt.getTime() + 30 * MINUTE_MS);
    await expectClean(world, shop);
  });

  it('S2.11 takes coupons off the original total, then points, each once and as booked', async () => {
    const shop = await openShop(world);
    const userId = await shopper(world, shop);
    const amount = await giveCoupon(world, shop, userId, { kind: 'AMOUNT', amount: '30' });
    const rate = await giveCoupon(world, shop, userId, { kind: 'RATE', rateMille: 100 });
    await givePoints(world, shop, userId, 1500);
    const order = await place(world, shop, userId, { couponIds: [amount, rate], points: 1000 });
    expect([order.total, order.discount, order.amount].map(Number)).toEqual([100, 40, 50]);
    expect(order.pointsSpent).toBe(1000);
    expect(await holdingsOf(world, shop, userId)).toEqual({
      balance: 0,
      points: 500,
      coupons: { [amount]: 'USED 0', [rate]: 'RESERVED 0' },
    });
    await expectClean(world, shop);
  });

  it('is finished at once where nothing is left to pay', async () => {
    const shop = await openShop(world);
    const userId = await shopper(world, shop);
    await givePoints(world, shop, userId, 10_000);
    const order = await place(world, shop, userId, { points: 10_000 });
    expect(order).toMatchObject({ status: 'FINISHED', isNew: true });
    expect(Number(order.amount)).toBe(0);
    const [held] = await world.services.subscriptions.mine(shop.tenantId, userId);
    expect(held).toMatchObject({ id: order.subscriptionId, planId: shop.planId, status: 'ACTIVE' });
    await expectClean(world, shop);
  });

  it('is the same for the same idempotency key, also for five calls at once', async () => {
    const shop = await openShop(world, { inventory: 3 });
    const userId = await shopper(world, shop);
    const calls = Array.from({ length: 5 }, async () =>
      place(world, shop, userId, { idempotencyKey: 'once' }),
    );
    const ids = new Set((await Promise.all(calls)).map(({ id }) => id));
    expect(ids.size).toBe(1);
    expect(await inventoryOf(world, shop)).toBe(2);
    expect(await refusalOf(place(world, shop, userId, { idempotencyKey: 'once', quantity: 2 }))).toBe(
      'IDEMPOTENCY_KEY_REUSED',
    );
    // The key of another user is another key.
    const other = await place(world, shop, await shopper(world, shop), { idempotencyKey: 'once' });
    expect(ids.has(other.id)).toBe(false);
  });

  it('has no deadline where its source has a clean-up of its own', async () => {
    const { services } = world;
    const shop = await openShop(world);
    const own = await openWorld({ ORDER_SOURCES_WITH_OWN_CLEANUP: 'ICHIBAN,GAME_PASS' });
    try {
      const input = { type: 'PURCHASE', planId: shop.planId, sourceType: 'GAME_PASS' };
      const { id } = await own.services.placements.place(shop.tenantId, await shopper(world, shop), input);
      const placement = await emOf(world, shop.tenantId).findOneOrFail(OrderPlacement, { orderId: id });
      expect(placement.dueAt).toBeNull();
      expect(await services.orders.find(shop.tenantId, id, null)).toMatchObject({ sourceType: 'GAME_PASS' });
    } finally {
      await own.close();
    }
  });
});

describe('what an order reserves', () => {
  it('is one of the inventory: of six users at once, three get the last three', async () => {
    const shop = await openShop(world, { inventory: 3 });
    const users = await Promise.all(Array.from({ length: 6 }, async () => shopper(world, shop)));
    const refusals = await Promise.all(users.map(async (userId) => refusalOf(place(world, shop, userId))));
    expect(refusals.filter((code) => code === null)).toHaveLength(3);
    expect(refusals.filter((code) => code === 'PLAN_SOLD_OUT')).toHaveLength(3);
    expect(await inventoryOf(world, shop)).toBe(0);
  });

  it('is nothing for who has a subscription that is extended', async () => {
    const shop = await openShop(world, { inventory: 1, quotaPerUser: 1 });
    const userId = await shopper(world, shop, '200');
    const first = await place(world, shop, userId);
    await world.services.payments.pay(shop.tenantId, userId, first.id);
    expect(await inventoryOf(world, shop)).toBe(0);
    expect(await place(world, shop, userId, { type: 'RENEWAL' })).toMatchObject({ takesInventory: false });
    expect(await place(world, shop, userId)).toMatchObject({ takesInventory: false });
    expect(await inventoryOf(world, shop)).toBe(0);
    expect(await refusalOf(place(world, shop, await shopper(world, shop)))).toBe('PLAN_SOLD_OUT');
  });

  it('is at most five orders of a user, of ten at once', async () => {
    const shop = await openShop(world);
    const userId = await shopper(world, shop);
    const tried = Array.from({ length: 10 }, async () => refusalOf(place(world, shop, userId)));
    const refusals = await Promise.all(tried);
    expect(refusals.filter((code) => code === null)).toHaveLength(5);
    expect(refusals.filter((code) => code === 'TOO_MANY_PENDING_ORDERS')).toHaveLength(5);
  });
});

describe('a refusal', () => {
  it.each([
    ['ORDER_TYPE_NOT_ALLOWED', { type: 'REDEMPTION' }],
    ['SOURCE_TYPE_NOT_ALLOWED', { sourceType: 'ICHIBAN' }],
    ['QUANTITY_OUT_OF_RANGE', { quantity: 0 }],
    ['QUANTITY_OUT_OF_RANGE', { quantity: 1201 }],
    ['AMOUNT_OUT_OF_RANGE', { type: 'RECHARGE', planId: null, amount: '0.00' }],
    ['AMOUNT_OUT_OF_RANGE', { type: 'RECHARGE', planId: null, amount: '-1' }],
    ['AMOUNT_OUT_OF_RANGE', { type: 'RECHARGE', planId: null, amount: '1e3' }],
    ['AMOUNT_TOO_PRECISE', { type: 'RECHARGE', planId: null, amount: '1.001' }],
    ['POINTS_OUT_OF_RANGE', { points: -1 }],
    ['POINTS_OUT_OF_RANGE', { points: 1.5 }],
    ['IDEMPOTENCY_KEY_MALFORMED', { idempotencyKey: 'two words' }],
    ['INPUT_NOT_ALLOWED', { planId: null }],
    ['INPUT_NOT_ALLOWED', { amount: '5' }],
    ['INPUT_NOT_ALLOWED', { type: 'RECHARGE', planId: null }],
    ['INPUT_NOT_ALLOWED', { type: 'RECHARGE', planId: null, amount: '5', points: 1 }],
    ['INPUT_NOT_ALLOWED', { type: 'RECHARGE', amount: '5' }],
    ['FACILITY_NOT_FOUND', { facilityId: '1' }],
    ['FACILITY_NOT_FOUND', { facilityId: 'x' }],
    ['CURRENCY_NOT_FOUND', { currency: 'EUR' }],
    ['PLAN_NOT_FOUND', { planId: '1' }],
    ['PLAN_NOT_FOUND', { planId: "1' or 1" }],
    ['SUBSCRIPTION_NOT_FOUND', { type: 'RENEWAL' }],
    ['TRAFFIC_NOT_RESETTABLE', { type: 'RESET_TRAFFIC' }],
    ['COUPON_NOT_FOUND', { couponIds: ['1'] }],
    ['PLAN_CURRENCY_DIFFERS', { currency: 'YEN' }],
    ['PLAN_CURRENCY_DIFFERS', { currency: 'YEN', type: 'RESET_TRAFFIC' }],
    ['PLAN_NOT_FOUND', { currency: 'YEN', planId: '1' }],
    ['POINTS_EXCEED_TOTAL', { points: 10_001 }],
    ['INSUFFICIENT_POINTS', { points: 100 }],
  ])('%s is answered for %j, and nothing is written', async (code, input) => {
    const shop = await openShop(world, { currency: CURRENCY });
    const userId = await shopper(world, shop, '500');
    await world.services.currencies.create(shop.tenantId, { code: 'YEN', name: 'Yen', scale: 0 });
    const before = await contentsOf(world, shop);
    expect(await refusalOf(place(world, shop, userId, { currency: CURRENCY, ...input }))).toBe(code);
    expect(await contentsOf(world, shop)).toEqual(before);
  });

  it('POINTS_WORTH_NOTHING is answered where the currency has nothing that small', async () => {
    const shop = await openShop(world, { currency: 'YEN' });
    const userId = await shopper(world, shop);
    await world.services.currencies.create(shop.tenantId, { code: 'YEN', name: 'Yen', scale: 0 });
    const before = await contentsOf(world, shop);
    expect(await refusalOf(place(world, shop, userId, { points: 50 }))).toBe('POINTS_WORTH_NOTHING');
    expect(await contentsOf(world, shop)).toEqual(before);
  });

  it('names what the tenant has several of', async () => {
    const shop = await openShop(world);
    const userId = await shopper(world, shop);
    await world.services.currencies.create(shop.tenantId, { code: 'YEN', name: 'Yen', scale: 0 });
    expect(await refusalOf(place(world, shop, userId))).toBe('CURRENCY_REQUIRED');
    await world.services.facilities.create(shop.tenantId, { name: 'Second' });
    expect(await refusalOf(place(world, shop, userId))).toBe('FACILITY_REQUIRED');
  });

  it('is given to a purchase of a plan that is not sold, and not to a renewal', async () => {
    const shop = await openShop(world);
    const userId = await shopper(world, shop, '100');
    const { id } = await place(world, shop, userId);
    await world.services.payments.pay(shop.tenantId, userId, id);
    await world.services.plans.update(shop.tenantId, shop.planId, { sell: false });
    expect(await refusalOf(place(world, shop, userId))).toBe('PLAN_NOT_SOLD');
    expect(await refusalOf(place(world, shop, userId, { type: 'RENEWAL' }))).toBeNull();
  });

  it('is given where a subscription that never ends would be bought again', async () => {
    const shop = await openShop(world, { unitTime: 'NO_LIMIT', trafficBytes: 0 });
    const userId = await shopper(world, shop, '100');
    expect(await refusalOf(place(world, shop, userId, { quantity: 2 }))).toBe('QUANTITY_OUT_OF_RANGE');
    const { id } = await place(world, shop, userId);
    await world.services.payments.pay(shop.tenantId, userId, id);
    expect(await refusalOf(place(world, shop, userId))).toBe('REWARD_HAS_NO_EFFECT');
  });
});

describe('the currency of an order', () => {
  const COIN = 'COIN';
  async function openTwo(plan: Record<string, unknown> = {}): Promise<Shop> {
    const shop = await openShop(world, { trafficBytes: 1000, resetPrice: '5', ...plan });
    await world.services.currencies.create(shop.tenantId, { code: COIN, name: 'Coin', scale: 0 });
    return shop;
  }

  it.each([
    ['CURRENCY_REQUIRED', 'in none', null, undefined],
    ['CURRENCY_REQUIRED', 'in none', null, COIN],
    ['CURRENCY_REQUIRED', 'in none', null, CURRENCY],
    ['PLAN_CURRENCY_DIFFERS', 'in USD', CURRENCY, COIN],
    ['CURRENCY_NOT_FOUND', 'in USD', CURRENCY, 'EUR'],
    ['CURRENCY_NOT_FOUND', 'in what the tenant has not', 'EUR', undefined],
    ['CURRENCY_NOT_FOUND', 'in what the tenant has not', 'EUR', COIN],
  ])('is refused with %s for prices %s (%s), named as %s', async (code, _name, priced, named) => {
    const shop = await openTwo({ currency: priced });
    const userId = await shopper(world, shop, '500');
    const before = await contentsOf(world, shop);
    for (const type of ['PURCHASE', 'RENEWAL', 'RESET_TRAFFIC'])
      expect(await refusalOf(place(world, shop, userId, { type, currency: named }))).toBe(code);
    expect(await contentsOf(world, shop)).toEqual(before);
  });

  it.each([undefined, CURRENCY])('is that of the prices, named as %s', async (named) => {
    const shop = await openTwo({ currency: CURRENCY });
    const userId = await shopper(world, shop, '105');
    const { id } = await place(world, shop, userId, { currency: named });
    expect(await world.services.payments.pay(shop.tenantId, userId, id)).toMatchObject({
      status: 'FINISHED',
      currency: CURRENCY,
    });
    const traffic = await place(world, shop, userId, { type: 'RESET_TRAFFIC', currency: named });
    expect(traffic.currency).toBe(CURRENCY);
    await world.services.payments.pay(shop.tenantId, userId, traffic.id);
    expect((await holdingsOf(world, shop, userId)).balance).toBe(0);
    await expectClean(world, shop);
  });

  it('is refused where that of the prices is disabled', async () => {
    const shop = await openTwo({ currency: COIN });
    const userId = await shopper(world, shop);
    await world.services.currencies.update(shop.tenantId, COIN, { enabled: false });
    expect(await refusalOf(place(world, shop, userId))).toBe('CURRENCY_NOT_FOUND');
    expect(await refusalOf(place(world, shop, userId, { currency: CURRENCY }))).toBe('CURRENCY_NOT_FOUND');
  });

  it('is the only one that is enabled again when staff takes it from the plan', async () => {
    const { plans, currencies } = world.services;
    const shop = await openTwo({ currency: CURRENCY });
    const userId = await shopper(world, shop);
    await plans.update(shop.tenantId, shop.planId, { name: 'Renamed' });
    expect(await place(world, shop, userId)).toMatchObject({ currency: CURRENCY });
    expect(await plans.update(shop.tenantId, shop.planId, { currency: null })).toMatchObject({
      name: 'Renamed',
      currency: null,
    });
    expect(await refusalOf(place(world, shop, userId))).toBe('CURRENCY_REQUIRED');
    await currencies.update(shop.tenantId, CURRENCY, { enabled: false });
    expect(await place(world, shop, userId)).toMatchObject({ currency: COIN });
    expect(await refusalOf(place(world, shop, userId, { currency: CURRENCY }))).toBe('CURRENCY_NOT_FOUND');
  });

  it('is chosen for a recharge, whose amount is in it', async () => {
    const shop = await openTwo();
    const userId = await shopper(world, shop);
    const recharge = { type: 'RECHARGE', planId: null, amount: '7' };
    expect(await refusalOf(place(world, shop, userId, recharge))).toBe('CURRENCY_REQUIRED');
    expect(await place(world, shop, userId, { ...recharge, currency: COIN })).toMatchObject({
      currency: COIN,
    });
  });
});
