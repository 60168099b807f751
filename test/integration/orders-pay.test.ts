import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OutboxEvent } from '../../src/platform/outbox/outbox.entity.js';
import { invalidatedBy } from '../../src/subscriptions/subscription-events.js';
import type { PublishedEvent } from '../../src/platform/outbox/published-event.js';
import {
  contentsOf,
  expectClean,
  giveCoupon,
  givePoints,
  holdingsOf,
  inventoryOf,
  openShop,
  orderOf,
  place,
  refusalOf,
  rowsOf,
  shopper,
  type Shop,
} from '../support/orders.js';
import { emOf, openWorld, redeem, seedCampaign, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => world?.close());

const DAY_MS = 86_400_000;
const pay = async ({ tenantId }: Shop, userId: string, id: string) =>
  world.services.payments.pay(tenantId, userId, id);
const subscriptionsOf = async ({ tenantId }: Shop, userId: string) =>
  world.services.subscriptions.mine(tenantId, userId);

describe('payOrder', () => {
  it('takes the amount once, delivers, uses coupons up and tells subscribers', async () => {
    const shop = await openShop(world);
    const userId = await shopper(world, shop, '80');
    const rate = await giveCoupon(world, shop, userId, { kind: 'RATE', rateMille: 200 });
    const { id } = await place(world, shop, userId, { couponIds: [rate] });
    const paid = await pay(shop, userId, id);
    expect(paid).toMatchObject({ id, status: 'FINISHED', isNew: true });
    expect(paid.paidAt).toEqual(paid.finishedAt);
    expect(await holdingsOf(world, shop, userId)).toMatchObject({
      balance: 0,
      coupons: { [rate]: 'USED 0' },
    });
    const [held] = await subscriptionsOf(shop, userId);
    expect(held).toMatchObject({ id: paid.subscriptionId, status: 'ACTIVE', trafficBytes: 1_000_000 });
    const events = await emOf(world, shop.tenantId).find(
      OutboxEvent,
      { userId },
      { orderBy: { seq: 'asc' } },
    );
    expect(events.map(({ type }) => type)).toEqual(['subscription_invalidated', 'order_paid']);
    expect(invalidatedBy(events[0] as unknown as PublishedEvent)).toEqual([
      { subscriptionId: paid.subscriptionId, planId: shop.planId },
    ]);
    await expectClean(world, shop);
  });

  it('pays once, of five calls at once and of one that comes later', async () => {
    const shop = await openShop(world);
    const userId = await shopper(world, shop, '500');
    const { id } = await place(world, shop, userId);
    const paid = await Promise.all(Array.from({ length: 5 }, async () => pay(shop, userId, id)));
    paid.push(await pay(shop, userId, id));
    expect(new Set(paid.map(({ status }) => status))).toEqual(new Set(['FINISHED']));
    expect((await holdingsOf(world, shop, userId)).balance).toBe(400);
    expect(await rowsOf(world, shop, 'select 1 from order_payment where tenant_id = :tenant')).toHaveLength(
      1,
    );
    expect(await subscriptionsOf(shop, userId)).toHaveLength(1);
    await expectClean(world, shop);
  });

  it('extends the subscription that a code has started, and a code extends what was bought', async () => {
    const shop = await openShop(world, { unitTime: 'DAY' });
    const userId = await shopper(world, shop, '300');
    const { codes } = await seedCampaign(world, shop, 2);
    await redeem(world, shop.tenantId, userId, codes[0] ?? '');
    const [given] = await subscriptionsOf(shop, userId);
    const { id } = await place(world, shop, userId, { quantity: 3 });
    const { subscriptionId } = await pay(shop, userId, id);
    await redeem(world, shop.tenantId, userId, codes[1] ?? '');
    const held = await subscriptionsOf(shop, userId);
    expect(held).toHaveLength(1);
    expect(held[0]).toMatchObject({ id: subscriptionId, token: given?.token, uuid: given?.uuid });
    expect(held[0]?.expiresAt?.getTime()).toBe((given?.expiresAt?.getTime() ?? 0) + 4 * DAY_MS);
  });

  it('S0.15 counts the first purchase as new whatever was redeemed before, and no later one', async () => {
    const shop = await openShop(world);
    const userId = await shopper(world, shop, '400');
    const { codes } = await seedCampaign(world, shop, 2);
    const isNewOf = async (orderId: string | undefined) => (await orderOf(world, shop, orderId ?? '')).isNew;
    const first = await redeem(world, shop.tenantId, userId, codes[0] ?? '');
    expect(await isNewOf(first.redemption?.id)).toBe(true);
    // Two at once: the one that is paid first is the first.
    const [a, b] = [await place(world, shop, userId), await place(world, shop, userId)];
    expect((await pay(shop, userId, b.id)).isNew).toBe(true);
    expect((await pay(shop, userId, a.id)).isNew).toBe(false);
    const later = await redeem(world, shop.tenantId, userId, codes[1] ?? '');
    expect(await isNewOf(later.redemption?.id)).toBe(false);
  });

  it('resets the used traffic, and brings a used-up subscription back to life', async () => {
    const shop = await openShop(world, { resetPrice: '5' });
    const userId = await shopper(world, shop, '105');
    const { id } = await place(world, shop, userId);
    await pay(shop, userId, id);
    await rowsOf(
      world,
      shop,
      `update subscription set traffic_used_bytes = traffic_bytes, status = 'FINISHED' where tenant_id = :tenant`,
    );
    const reset = await place(world, shop, userId, { type: 'RESET_TRAFFIC' });
    expect(Number(reset.amount)).toBe(5);
    expect((await pay(shop, userId, reset.id)).status).toBe('FINISHED');
    const rows = await rowsOf(
      world,
      shop,
      'select status, traffic_used_bytes as used from subscription where tenant_id = :tenant',
    );
    expect(rows).toEqual([{ status: 'ACTIVE', used: 0 }]);
    expect((await holdingsOf(world, shop, userId)).balance).toBe(0);
  });

  it('delivers what is reserved, also when the plan is sold out by then', async () => {
    const shop = await openShop(world, { inventory: 1 });
    const [userId, other] = [await shopper(world, shop, '100'), await shopper(world, shop, '100')];
    const { id } = await place(world, shop, userId);
    expect(await refusalOf(place(world, shop, other))).toBe('PLAN_SOLD_OUT');
    expect((await pay(shop, userId, id)).status).toBe('FINISHED');
    expect(await inventoryOf(world, shop)).toBe(0);
  });
});

describe('a payment that is refused', () => {
  it('INSUFFICIENT_BALANCE leaves everything as it was, and the order can be paid later', async () => {
    const shop = await openShop(world, { inventory: 2 });
    const userId = await shopper(world, shop, '99.99');
    const rate = await giveCoupon(world, shop, userId, { kind: 'THRESHOLD', amount: '0.01', minimum: '200' });
    await givePoints(world, shop, userId, 5);
    expect(await refusalOf(place(world, shop, userId, { couponIds: [rate] }))).toBe('COUPON_BELOW_THRESHOLD');
    const { id } = await place(world, shop, userId);
    const before = await contentsOf(world, shop);
    expect(await refusalOf(pay(shop, userId, id))).toBe('INSUFFICIENT_BALANCE');
    expect(await contentsOf(world, shop)).toEqual(before);
    expect((await orderOf(world, shop, id)).status).toBe('PENDING');
  });

  it('INSUFFICIENT_BALANCE and ACCOUNT_HALTED are answered without a lock of the plan', async () => {
    const shop = await openShop(world, { inventory: 2 });
    const [poor, halted] = [await shopper(world, shop, '99.99'), await shopper(world, shop, '100')];
    const orders = [await place(world, shop, poor), await place(world, shop, halted)] as const;
    const halt =
      'update money_account set halted_at = utc_timestamp(3) where tenant_id = :tenant and user_id = ?';
    await rowsOf(world, shop, halt, [halted]);
    await emOf(world, shop.tenantId).transactional(async (em) => {
      await em.execute('select id from plan where tenant_id = ? for update', [shop.tenantId]);
      expect(await refusalOf(pay(shop, poor, orders[0].id))).toBe('INSUFFICIENT_BALANCE');
      expect(await refusalOf(pay(shop, halted, orders[1].id))).toBe('ACCOUNT_HALTED');
    });
  });

  it('ORDER_NOT_FOUND is answered for what is not there and for what is another user’s', async () => {
    const shop = await openShop(world);
    const [userId, other] = [await shopper(world, shop), await shopper(world, shop, '100')];
    const { id } = await place(world, shop, userId);
    for (const orderNo of [id, '1', 'x', ''])
      expect(await refusalOf(pay(shop, other, orderNo))).toBe('ORDER_NOT_FOUND');
  });

  it('ORDER_NOT_PENDING is answered for one that is closed', async () => {
    const shop = await openShop(world);
    const userId = await shopper(world, shop, '100');
    const { id } = await place(world, shop, userId);
    await world.services.orderClosing.cancel(shop.tenantId, id, userId);
    expect(await refusalOf(pay(shop, userId, id))).toBe('ORDER_NOT_PENDING');
    expect((await holdingsOf(world, shop, userId)).balance).toBe(100);
  });

  it('RECHARGE_NOT_PAYABLE_FROM_BALANCE is answered for what fills the balance', async () => {
    const shop = await openShop(world);
    const userId = await shopper(world, shop, '100');
    const { id } = await place(world, shop, userId, { type: 'RECHARGE', planId: null, amount: '50' });
    expect(await refusalOf(pay(shop, userId, id))).toBe('RECHARGE_NOT_PAYABLE_FROM_BALANCE');
  });

  it('PLAN_QUOTA_REACHED and SUBSCRIPTION_NOT_FOUND are answered where things have changed', async () => {
    const shop = await openShop(world, { resetPrice: '5' });
    const userId = await shopper(world, shop, '300');
    const { id } = await place(world, shop, userId);
    await pay(shop, userId, id);
    const reset = await place(world, shop, userId, { type: 'RESET_TRAFFIC' });
    await rowsOf(world, shop, `update subscription set status = 'PENDING' where tenant_id = :tenant`);
    expect(await refusalOf(pay(shop, userId, reset.id))).toBe('SUBSCRIPTION_NOT_FOUND');
    const again = await place(world, shop, userId);
    await world.services.plans.update(shop.tenantId, shop.planId, { quotaPerUser: 1 });
    expect(await refusalOf(pay(shop, userId, again.id))).toBe('PLAN_QUOTA_REACHED');
    expect((await orderOf(world, shop, again.id)).status).toBe('PENDING');
  });
});
