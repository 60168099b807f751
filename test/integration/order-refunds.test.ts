import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OutboxEvent } from '../../src/platform/outbox/outbox.entity.js';
import {
  contentsOf,
  CURRENCY,
  expectClean,
  fund,
  givePoints,
  holdingsOf,
  inventoryOf,
  ledgerOf,
  openShop,
  orderOf,
  place,
  refusalOf,
  rowsOf,
  shopper,
  type Shop,
} from '../support/orders.js';
import { expectAllBack, wantFullAlone } from '../support/full-orders.js';
import { emOf, openWorld, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => world?.close());

const DAY_MS = 86_400_000;
const refund = async ({ tenantId }: Shop, orderNo: string, input: Record<string, unknown> = {}) =>
  world.services.refunds.refund(tenantId, 'eve', { orderNo, reason: 'Not as described', ...input });

/** A paid order of 84, of a user who had 84 then. */
async function paid(plan: Record<string, unknown> = {}) {
  const full = await wantFullAlone(world, { unitTime: 'DAY', ...plan });
  const { shop, userId, input } = full;
  const { id } = await place(world, shop, userId, input);
  await world.services.payments.pay(shop.tenantId, userId, id);
  return { ...full, id };
}

describe('refundOrder', () => {
  it('gives a part back to the balance, and leaves all else', async () => {
    const { shop, userId, id, couponIds } = await paid();
    const { order, refund: first } = await refund(shop, id, { amount: '30.50' });
    expect([order.status, Number(order.refunded), Number(first.amount), first.refundNo]).toEqual([
      'FINISHED',
      30.5,
      30.5,
      1,
    ]);
    expect(await holdingsOf(world, shop, userId)).toEqual({
      balance: 30.5,
      points: 0,
      coupons: { [couponIds[0]]: 'USED 0', [couponIds[1]]: 'USED 0' },
    });
    const entries = await rowsOf(
      world,
      shop,
      `select order_id as orderId, amount, remark from money_entry where tenant_id = :tenant and type = 'REFUND'`,
    );
    expect(entries.map((entry) => ({ ...entry, amount: Number(entry['amount']) }))).toEqual([
      { orderId: `${id}:1`, amount: 30.5, remark: 'Not as described' },
    ]);
    const [held] = await world.services.subscriptions.mine(shop.tenantId, userId);
    expect(held?.status).toBe('ACTIVE');
    await expectClean(world, shop);
  });

  it('with the last part gives coupons, points and inventory back, and ends the subscription', async () => {
    const full = await paid({ inventory: 1 });
    const { shop, userId, id } = full;
    await refund(shop, id, { amount: '0.01' });
    const { order, refund: last } = await refund(shop, id);
    expect([order.status, Number(order.refunded), Number(last.amount)]).toEqual(['REFUNDED', 84, 83.99]);
    await expectAllBack(world, full);
    expect(await ledgerOf(world, shop, id)).toMatchObject({ COUPON_REFUND: 2, POINTS_GIVE_BACK: 1 });
    const [held] = await world.services.subscriptions.mine(shop.tenantId, userId);
    expect(held?.expiresAt?.getTime()).toBeLessThanOrEqual(world.services.clock.nowMs());
    expect(await inventoryOf(world, shop)).toBe(1);
    expect(await refusalOf(refund(shop, id))).toBe('ORDER_NOT_REFUNDABLE');
    await expectClean(world, shop);
  });

  it('takes back the time of this order only, or none of it where it is to stay', async () => {
    const { shop, userId, id } = await paid();
    await world.services.accounts.adjust(shop.tenantId, 'eve', {
      userId,
      facilityId: shop.facilityId,
      currency: CURRENCY,
      amount: '400',
      orderId: 'more',
      remark: 'More',
    });
    const endOf = async () =>
      (await world.services.subscriptions.mine(shop.tenantId, userId))[0]?.expiresAt?.getTime() ?? 0;
    const first = await endOf();
    const second = await place(world, shop, userId, { quantity: 3 });
    await world.services.payments.pay(shop.tenantId, userId, second.id);
    expect(await endOf()).toBe(first + 3 * DAY_MS);
    await refund(shop, second.id);
    expect(await endOf()).toBe(first);
    await refund(shop, id, { keepsSubscription: true });
    expect(await endOf()).toBe(first);
  });

  it('refunds what coupons and points have paid, of which nothing is money', async () => {
    const shop = await openShop(world, { unitPrice: '1' });
    const userId = await shopper(world, shop);
    await givePoints(world, shop, userId, 100);
    const { id } = await place(world, shop, userId, { points: 100 });
    const { order } = await refund(shop, id);
    expect([order.status, Number(order.refunded)]).toEqual(['REFUNDED', 0]);
    expect(await holdingsOf(world, shop, userId)).toEqual({ balance: 0, points: 100, coupons: {} });
    await expectClean(world, shop);
  });

  it('refunds once for a key, and never more than was paid, of ten calls at once', async () => {
    const { shop, userId, id } = await paid();
    const keyed = Array.from({ length: 4 }, async () =>
      refund(shop, id, { amount: '9', idempotencyKey: 'k' }),
    );
    expect(new Set((await Promise.all(keyed)).map(({ refund: { refundNo } }) => refundNo))).toEqual(
      new Set([1]),
    );
    expect(await refusalOf(refund(shop, id, { amount: '8', idempotencyKey: 'k' }))).toBe(
      'IDEMPOTENCY_KEY_REUSED',
    );
    const refusals = await Promise.all(
      Array.from({ length: 10 }, async () => refusalOf(refund(shop, id, { amount: '20' }))),
    );
    expect(refusals.filter((code) => code === null)).toHaveLength(3);
    expect(refusals.filter((code) => code === 'REFUND_EXCEEDS_PAID')).toHaveLength(7);
    expect((await holdingsOf(world, shop, userId)).balance).toBe(69);
    await expectClean(world, shop);
  });

  it('tells of each refund by an event, and of the changed subscription', async () => {
    const { shop, userId, id } = await paid();
    await refund(shop, id, { amount: '4' });
    await refund(shop, id);
    const events = await emOf(world, shop.tenantId).find(
      OutboxEvent,
      { userId },
      { orderBy: { seq: 'asc' } },
    );
    const told = events.slice(2).map(({ type, payload }) => [type, payload['isWhole'] ?? null]);
    expect(told).toEqual([
      ['order_refunded', false],
      ['subscription_invalidated', null],
      ['order_refunded', true],
    ]);
  });
});

describe('a refund that is refused', () => {
  it.each([
    ['REASON_NOT_ALLOWED', { reason: ' ' }],
    ['REASON_NOT_ALLOWED', { reason: 'x'.repeat(256) }],
    ['AMOUNT_OUT_OF_RANGE', { amount: '0' }],
    ['AMOUNT_OUT_OF_RANGE', { amount: '-1' }],
    ['IDEMPOTENCY_KEY_MALFORMED', { idempotencyKey: '' }],
    ['INPUT_NOT_ALLOWED', { more: 1 }],
    ['ORDER_NOT_FOUND', { orderNo: '1' }],
    ['ORDER_NOT_FOUND', { orderNo: 'x' }],
    ['REFUND_EXCEEDS_PAID', { amount: '84.01' }],
    ['AMOUNT_TOO_PRECISE', { amount: '1.001' }],
  ])('with %s for %j writes nothing', async (code, input) => {
    const { shop, id } = await paid();
    const before = await contentsOf(world, shop);
    expect(await refusalOf(refund(shop, id, input))).toBe(code);
    expect(await contentsOf(world, shop)).toEqual(before);
  });

  it('is answered for orders that are not paid, for recharges and for redemptions', async () => {
    const shop = await openShop(world);
    const userId = await shopper(world, shop);
    const { id } = await place(world, shop, userId);
    expect(await refusalOf(refund(shop, id))).toBe('ORDER_NOT_REFUNDABLE');
    await world.services.orderClosing.cancel(shop.tenantId, id, userId);
    expect(await refusalOf(refund(shop, id))).toBe('ORDER_NOT_REFUNDABLE');
    const recharge = await place(world, shop, userId, { type: 'RECHARGE', planId: null, amount: '50' });
    const payment = { paymentId: 'p1', orderNo: recharge.id, amount: '50', currency: CURRENCY };
    await world.services.payments.receive(shop.tenantId, payment);
    expect((await orderOf(world, shop, recharge.id)).status).toBe('FINISHED');
    expect(await refusalOf(refund(shop, recharge.id))).toBe('ORDER_NOT_REFUNDABLE');
    expect((await holdingsOf(world, shop, userId)).balance).toBe(50);
  });

  it('leaves the buyer a buyer: the next purchase is not the first one', async () => {
    const { shop, userId, id } = await paid();
    await refund(shop, id);
    const next = await place(world, shop, userId, { quantity: 1, points: 0 });
    await fund(world, shop, userId, '100');
    await world.services.payments.pay(shop.tenantId, userId, next.id);
    expect([(await orderOf(world, shop, id)).isNew, (await orderOf(world, shop, next.id)).isNew]).toEqual([
      true,
      false,
    ]);
  });

  it('returns no inventory that was never taken: the plan was unlimited at the sale, whatever it is now', async () => {
    const { shop, userId, id } = await paid();
    const waiting = await place(world, shop, await shopper(world, shop));
    await world.services.plans.update(shop.tenantId, shop.planId, { inventory: 5 });
    await refund(shop, id);
    expect(await inventoryOf(world, shop)).toBe(5);
    await world.services.orderClosing.cancel(shop.tenantId, waiting.id, null);
    expect(await inventoryOf(world, shop)).toBe(5);
    // What is sold from now on is counted.
    await fund(world, shop, userId, '100');
    const next = await place(world, shop, userId);
    expect(await inventoryOf(world, shop)).toBe(4);
    await world.services.payments.pay(shop.tenantId, userId, next.id);
    await refund(shop, next.id);
    expect(await inventoryOf(world, shop)).toBe(5);
    await expectClean(world, shop);
  });

  it('returns one that was reserved before the plan was limited when it is delivered from then on', async () => {
    const shop = await openShop(world);
    const userId = await shopper(world, shop, '100');
    const { id } = await place(world, shop, userId);
    await world.services.plans.update(shop.tenantId, shop.planId, { inventory: 5 });
    await world.services.payments.pay(shop.tenantId, userId, id);
    expect(await inventoryOf(world, shop)).toBe(4);
    await refund(shop, id);
    expect(await inventoryOf(world, shop)).toBe(5);
  });

  it('returns no inventory while the subscription lives on with the time of another order', async () => {
    const { shop, userId, id } = await paid({ inventory: 1 });
    await fund(world, shop, userId, '100');
    const second = await place(world, shop, userId);
    await world.services.payments.pay(shop.tenantId, userId, second.id);
    await refund(shop, id);
    const [held] = await world.services.subscriptions.mine(shop.tenantId, userId);
    expect(held?.status).toBe('ACTIVE');
    expect(await inventoryOf(world, shop)).toBe(0);
    await expectClean(world, shop);
  });
});
