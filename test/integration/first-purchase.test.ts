import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Order } from '../../src/orders/orders/order.entity.js';
import { OutboxEvent } from '../../src/platform/outbox/outbox.entity.js';
import { openShop, place, shopper, type Shop } from '../support/orders.js';
import { redeemed, reverse } from '../support/reversals.js';
import { emOf, openWorld, seedCampaign, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => world?.close());

async function seeded() {
  const shop = await openShop(world);
  const { codes } = await seedCampaign(world, shop, 2);
  const [a = '', b = ''] = codes;
  return {
    shop,
    tenantId: shop.tenantId,
    codes: [a, b] as const,
    userId: await shopper(world, shop, '1000'),
  };
}

const orderOf = async (tenantId: string, id: string) =>
  emOf(world, tenantId).findOneOrFail(Order, { id }, { disableIdentityMap: true });

async function purchase(shop: Shop, userId: string): Promise<void> {
  const { id } = await place(world, shop, userId);
  await world.services.payments.pay(shop.tenantId, userId, id);
}

/** Whether the user's purchases were new, in their order. */
async function purchases(tenantId: string, userId: string): Promise<boolean[]> {
  const found = await emOf(world, tenantId).find(
    Order,
    { userId, type: 'PURCHASE', status: 'FINISHED' },
    { orderBy: { id: 'asc' }, disableIdentityMap: true },
  );
  return found.map(({ isNew }) => isNew);
}

describe('S0.15 being new', () => {
  it('holds for each redemption before the first purchase, and costs nothing', async () => {
    const { tenantId, userId, codes } = await seeded();
    for (const code of codes) {
      const { id } = await redeemed(world, tenantId, userId, code);
      const order = await orderOf(tenantId, id);
      expect(order).toMatchObject({ type: 'REDEMPTION', isNew: true, amount: '0.0000000000' });
    }
  });

  it('earns no commission: a redemption moves no money at any account, and its order is not a paid one', async () => {
    const { tenantId, userId, codes } = await seeded();
    const em = emOf(world, tenantId);
    const rowsIn = async (table: string) =>
      em.execute<object[]>(`select * from ${table} where tenant_id = ?`, [tenantId]);
    const tables = ['money_account', 'money_entry', 'system_entry', 'money_transfer', 'order_payment'];
    const before = await Promise.all(tables.map(rowsIn));
    // What the user was funded with: a movement beside it would show.
    expect(before.map(({ length }) => length)).toEqual([1, 1, 1, 0, 0]);
    const { id } = await redeemed(world, tenantId, userId, codes[0]);
    expect(await Promise.all(tables.map(rowsIn))).toEqual(before);
    const { amount, total, paidAt } = await orderOf(tenantId, id);
    expect([Number(amount), total, paidAt]).toEqual([0, null, null]);
    const events = await em.find(OutboxEvent, {});
    expect(events.map(({ type }) => type)).not.toContain('order_paid');
  });

  it('is not used up by redemptions: the first purchase still counts as new, the second does not', async () => {
    const { shop, tenantId, userId, codes } = await seeded();
    await redeemed(world, tenantId, userId, codes[0]);
    await purchase(shop, userId);
    await purchase(shop, userId);
    expect(await purchases(tenantId, userId)).toEqual([true, false]);
  });

  it('is over for redemptions after a purchase was paid, and not after one that is pending or was cancelled', async () => {
    const { shop, tenantId, userId, codes } = await seeded();
    const { id } = await place(world, shop, userId);
    await world.services.orderClosing.cancel(tenantId, id, userId);
    await place(world, shop, userId);
    const first = await redeemed(world, tenantId, userId, codes[0]);
    expect(await orderOf(tenantId, first.id)).toMatchObject({ isNew: true });
    await purchase(shop, userId);
    const second = await redeemed(world, tenantId, userId, codes[1]);
    expect(await orderOf(tenantId, second.id)).toMatchObject({ isNew: false });
  });

  it('is not changed by a reversal, before or after the purchase', async () => {
    const { shop, tenantId, userId, codes } = await seeded();
    const before = await redeemed(world, tenantId, userId, codes[0]);
    await reverse(world, tenantId, before.id);
    await purchase(shop, userId);
    const after = await redeemed(world, tenantId, userId, codes[1]);
    await reverse(world, tenantId, after.id);
    await purchase(shop, userId);
    expect(await orderOf(tenantId, before.id)).toMatchObject({ isNew: true, status: 'REFUNDED' });
    expect(await orderOf(tenantId, after.id)).toMatchObject({ isNew: false, status: 'REFUNDED' });
    expect(await purchases(tenantId, userId)).toEqual([true, false]);
  });
});
