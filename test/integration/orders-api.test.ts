import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Actor } from '../../src/graphql/actor.js';
import { giveCoupon, givePoints, openShop, shopper, type Shop } from '../support/orders.js';
import { ProductApi, refusalIn, staffOf } from '../support/product-api.js';
import { openWorld, redeem, seedCampaign, type World } from '../support/world.js';

let world: World;
let api: ProductApi;
beforeAll(async () => {
  world = await openWorld();
  api = new ProductApi(world);
});
afterAll(async () => world?.close());

const FIELDS = `id orderNo userId externalUserId type sourceType status planId quantity facilityId currency total discount
  pointsSpent amount refunded isNew subscriptionId createdAt paidAt closedAt closeReason
  coupons { couponId amount } refunds { refundNo amount reason debt createdAt }`;
const PLACE = `mutation ($input: PlaceOrderInput!) { placeOrder(input: $input) { order { ${FIELDS} } errors { code field } } }`;
const PAY = `mutation ($input: PayOrderInput!) { payOrder(input: $input) { order { ${FIELDS} } errors { code field } } }`;
const CANCEL = `mutation ($input: CancelOrderInput!) { cancelOrder(input: $input) { order { ${FIELDS} } errors { code field } } }`;
const REFUND = `mutation ($input: RefundOrderInput!) {
  refundOrder(input: $input) { order { ${FIELDS} } refund { refundNo amount } errors { code field } } }`;
const ORDERS = `query ($filter: OrderFilterInput, $page: Int, $size: Int) {
  orders(filter: $filter, page: $page, size: $size) { total items { id type status coupons { couponId } } } }`;

const userOf = ({ tenantId }: Shop, userId: string): Actor => ({ kind: 'USER', tenantId, userId });

async function placeBy(shop: Shop, userId: string, input: Record<string, unknown> = {}) {
  const variables = { input: { type: 'PURCHASE', planId: shop.planId, ...input } };
  const { data, errors } = await api.ask(userOf(shop, userId), PLACE, variables);
  expect(errors).toEqual([]);
  const { placeOrder = {} } = data;
  return placeOrder;
}

async function orderBy(shop: Shop, userId: string, input: Record<string, unknown> = {}) {
  return (await placeBy(shop, userId, input))['order'] as Record<string, unknown> & { readonly id: string };
}

describe('an order over the API', () => {
  it('is placed, shown, paid and refunded, with all that belongs to it', async () => {
    const shop = await openShop(world);
    const userId = await shopper(world, shop, '200');
    await givePoints(world, shop, userId, 500);
    const coupon = await giveCoupon(world, shop, userId, { kind: 'AMOUNT', amount: '20' });
    const order = await orderBy(shop, userId, { couponIds: [coupon], points: 500, sourceType: 'GAME_PASS' });
    expect(order).toMatchObject({
      orderNo: order.id,
      userId,
      type: 'PURCHASE',
      sourceType: 'GAME_PASS',
      status: 'PENDING',
      quantity: 1,
      total: '100',
      discount: '20',
      pointsSpent: 500,
      amount: '75',
      refunded: '0',
      currency: 'USD',
      coupons: [{ couponId: coupon, amount: '20' }],
      refunds: [],
    });
    const paid = await api.ask(userOf(shop, userId), PAY, { input: { orderNo: order.id } });
    expect(paid.data['payOrder']).toMatchObject({
      errors: [],
      order: { id: order.id, status: 'FINISHED', isNew: true, amount: '75' },
    });
    const input = { orderNo: order.id, amount: '5.5', reason: 'Late' };
    const refunded = await api.ask(staffOf(shop.tenantId, 'OPERATOR'), REFUND, { input });
    expect(refunded.data['refundOrder']).toMatchObject({
      errors: [],
      refund: { refundNo: 1, amount: '5.5' },
      order: {
        status: 'FINISHED',
        refunded: '5.5',
        refunds: [{ refundNo: 1, amount: '5.5', reason: 'Late', debt: null }],
      },
    });
    const shown = await api.ask(userOf(shop, userId), `{ order(orderNo: "${order.id}") { ${FIELDS} } }`);
    expect(shown.data['order']).toEqual(refunded.data['refundOrder']?.['order']);
  });

  it('is cancelled by its user or by staff, and stays closed', async () => {
    const shop = await openShop(world);
    const userId = await shopper(world, shop);
    const order = await orderBy(shop, userId);
    const cancelled = await api.ask(userOf(shop, userId), CANCEL, { input: { orderNo: order.id } });
    expect(cancelled.data['cancelOrder']).toMatchObject({
      errors: [],
      order: { status: 'CLOSED', closeReason: 'USER' },
    });
    const second = await orderBy(shop, userId);
    const closed = await api.ask(staffOf(shop.tenantId, 'OPERATOR'), CANCEL, {
      input: { orderNo: second.id },
    });
    expect(closed.data['cancelOrder']).toMatchObject({ order: { status: 'CLOSED', closeReason: 'STAFF' } });
  });

  it('is refused as data, with the field', async () => {
    const shop = await openShop(world);
    const userId = await shopper(world, shop);
    expect(await placeBy(shop, userId, { planId: '1' })).toEqual({
      order: null,
      errors: [{ code: 'PLAN_NOT_FOUND', field: ['input', 'planId'] }],
    });
    const { id } = await orderBy(shop, userId);
    const poor = await api.ask(userOf(shop, userId), PAY, { input: { orderNo: id } });
    expect(refusalIn(poor.data['payOrder'])).toBe('INSUFFICIENT_BALANCE');
    const stranger = await api.ask(userOf(shop, await shopper(world, shop)), CANCEL, {
      input: { orderNo: id },
    });
    expect(refusalIn(stranger.data['cancelOrder'])).toBe('ORDER_NOT_FOUND');
    const early = await api.ask(staffOf(shop.tenantId), REFUND, { input: { orderNo: id, reason: 'x' } });
    expect(refusalIn(early.data['refundOrder'])).toBe('ORDER_NOT_REFUNDABLE');
  });

  it('is for its user to place and pay, and for OWNER and OPERATOR to refund', async () => {
    const shop = await openShop(world);
    const userId = await shopper(world, shop);
    const { id } = await orderBy(shop, userId);
    const { tenantId, planId } = shop;
    const calls: readonly (readonly [Actor | null, string, object, string])[] = [
      [staffOf(tenantId), PLACE, { type: 'PURCHASE', planId }, 'FORBIDDEN'],
      [staffOf(tenantId), PAY, { orderNo: id }, 'FORBIDDEN'],
      [staffOf(tenantId, 'AUDITOR'), CANCEL, { orderNo: id }, 'FORBIDDEN'],
      [staffOf(tenantId, 'AUDITOR'), REFUND, { orderNo: id, reason: 'x' }, 'FORBIDDEN'],
      [userOf(shop, userId), REFUND, { orderNo: id, reason: 'x' }, 'FORBIDDEN'],
      [null, PLACE, { type: 'PURCHASE', planId }, 'UNAUTHENTICATED'],
      [null, PAY, { orderNo: id }, 'UNAUTHENTICATED'],
      [null, CANCEL, { orderNo: id }, 'UNAUTHENTICATED'],
    ];
    for (const [actor, document, input, code] of calls)
      expect((await api.ask(actor, document, { input })).errors).toEqual([code]);
    const foreign = { ...staffOf(tenantId), tenantId: 'T_OTHER' } as Actor;
    const { data } = await api.ask(foreign, CANCEL, { input: { orderNo: id } });
    expect(refusalIn(data['cancelOrder'])).toBe('ORDER_NOT_FOUND');
  });
});

describe('orders', () => {
  it('are listed for staff by user, state and type, and for users their own', async () => {
    const shop = await openShop(world);
    const [userId, other] = [await shopper(world, shop, '300'), await shopper(world, shop)];
    const { codes } = await seedCampaign(world, shop, 2);
    const { redemption } = await redeem(world, shop.tenantId, userId, codes[0] ?? '');
    const paid = await orderBy(shop, userId);
    await api.ask(userOf(shop, userId), PAY, { input: { orderNo: paid.id } });
    const renewal = await orderBy(shop, userId, { type: 'RENEWAL' });
    const closed = await orderBy(shop, other);
    await api.ask(userOf(shop, other), CANCEL, { input: { orderNo: closed.id } });
    await redeem(world, shop.tenantId, other, codes[1] ?? '');
    const list = async (actor: Actor, filter: object | null, more: object = {}) => {
      const { data, errors } = await api.ask(actor, ORDERS, { filter, ...more });
      expect(errors).toEqual([]);
      const { total, items } = data['orders'] as unknown as { total: number; items: { id: string }[] };
      return [total, items.map(({ id }) => id)];
    };
    const staff = staffOf(shop.tenantId, 'AUDITOR');
    expect((await list(staff, null))[0]).toBe(5);
    expect(await list(staff, { type: 'PURCHASE' })).toEqual([2, [closed.id, paid.id]]);
    expect(await list(staff, { status: 'PENDING' })).toEqual([1, [renewal.id]]);
    expect(await list(staff, { status: 'CLOSED', userId: other })).toEqual([1, [closed.id]]);
    expect(await list(staff, { status: 'CLOSED', userId })).toEqual([0, []]);
    expect(await list(staff, { type: 'REDEMPTION', userId })).toEqual([1, [redemption?.id]]);
    expect((await list(staff, { status: 'FINISHED' }))[0]).toBe(3);
    expect(await list(staff, { userId: 'x' })).toEqual([0, []]);
    expect(await list(staff, { type: 'PURCHASE' }, { page: 2, size: 1 })).toEqual([2, [paid.id]]);
    const mine = userOf(shop, userId);
    expect(await list(mine, { userId: other })).toEqual([3, [renewal.id, paid.id, redemption?.id]]);
    expect(await list(mine, { status: 'PENDING' })).toEqual([1, [renewal.id]]);
    expect(await list(staffOf('T_OTHER'), null)).toEqual([0, []]);
  });
});
