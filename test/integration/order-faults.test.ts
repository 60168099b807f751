import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { systemEm } from '../../src/platform/database/orm.js';
import {
  contentsOf,
  expectClean,
  expire,
  giveCoupon,
  givePoints,
  holdingsOf,
  openShop,
  orderOf,
  place,
  shopper,
  type Shop,
} from '../support/orders.js';
import { createScratchDatabase, type ScratchDatabase } from '../support/scratch-database.js';
import { openWorld, type World } from '../support/world.js';

// Broken writes are broken for everyone.
let database: ScratchDatabase;
let world: World;
beforeAll(async () => {
  database = await createScratchDatabase(inject('databaseUrl'));
  world = await openWorld({}, { databaseUrl: database.databaseUrl });
});
afterAll(async () => {
  await world.close();
  await database.drop();
});

/** While the work runs, the server refuses this kind of write. */
async function whileBroken(moment: string, table: string, work: () => Promise<unknown>): Promise<void> {
  const execute = async (sql: string): Promise<unknown> => systemEm(world.stores.orm).execute(sql);
  await execute(`create trigger broken before ${moment} on \`${table}\` for each row
    signal sqlstate '45000' set message_text = 'broken on purpose'`);
  try {
    await work();
  } finally {
    await execute('drop trigger broken');
  }
}

const BALANCE = 84;

/** An order of 84 with everything that an order can hold. */
async function placed() {
  const shop = await openShop(world, { inventory: 3 });
  const userId = await shopper(world, shop, String(BALANCE));
  await givePoints(world, shop, userId, 100);
  const couponIds = [
    await giveCoupon(world, shop, userId, { kind: 'AMOUNT', amount: '10' }),
    await giveCoupon(world, shop, userId, { kind: 'RATE', rateMille: 50 }),
  ] as const;
  const input = { couponIds, points: 100 };
  return { shop, userId, couponIds, input };
}

async function expectAllBack(
  shop: Shop,
  userId: string,
  couponIds: readonly [string, string],
): Promise<void> {
  expect(await holdingsOf(world, shop, userId)).toEqual({
    balance: BALANCE,
    points: 100,
    coupons: { [couponIds[0]]: 'AVAILABLE 10', [couponIds[1]]: 'AVAILABLE 0' },
  });
  await expectClean(world, shop);
}

describe('a statement that fails', () => {
  it.each([
    ['update', 'order'],
    ['update', 'order_placement'],
    ['update', 'plan'],
    ['update', 'user_coupon'],
    ['insert', 'coupon_ledger'],
    ['update', 'points_account'],
    ['update', 'points_lot'],
    ['insert', 'points_ledger'],
    ['insert', 'outbox_event'],
  ])(
    'S2.7 in a close (%s of %s) rolls everything back, and the next sweep closes the order',
    async (moment, table) => {
      const { shop, userId, couponIds, input } = await placed();
      const { id } = await place(world, shop, userId, input);
      await expire(world, shop);
      const before = await contentsOf(world, shop);
      const { orderClosing, orderTimeouts } = world.services;
      await whileBroken(moment, table, async () => {
        await expect(orderClosing.cancel(shop.tenantId, id, userId)).rejects.toThrow('broken on purpose');
        // It is logged, and not in the way of others.
        expect(await orderTimeouts.sweep()).toBe(0);
        const job = { tenantId: shop.tenantId, orderId: id };
        await expect(orderTimeouts.work(job)).rejects.toThrow('broken on purpose');
      });
      expect(await contentsOf(world, shop)).toEqual(before);
      expect(await orderTimeouts.sweep()).toBe(1);
      expect((await orderOf(world, shop, id)).status).toBe('CLOSED');
      await expectAllBack(shop, userId, couponIds);
    },
  );

  it.each([
    ['update', 'order'],
    ['update', 'subscription'],
    ['update', 'plan'],
    ['update', 'user_coupon'],
    ['insert', 'coupon_ledger'],
    ['update', 'points_account'],
    ['insert', 'points_ledger'],
    ['insert', 'order_refund'],
    ['insert', 'money_entry'],
    ['insert', 'system_entry'],
    ['insert', 'outbox_event'],
  ])(
    'S2.7 in a refund (%s of %s) rolls everything back, and the next call refunds',
    async (moment, table) => {
      const { shop, userId, couponIds, input } = await placed();
      const { id } = await place(world, shop, userId, input);
      const { payments, refunds } = world.services;
      await payments.pay(shop.tenantId, userId, id);
      const before = await contentsOf(world, shop);
      const refund = async () =>
        refunds.refund(shop.tenantId, 'eve', { orderNo: id, reason: 'No', idempotencyKey: 'k' });
      await whileBroken(moment, table, async () => expect(refund()).rejects.toThrow('broken on purpose'));
      expect(await contentsOf(world, shop)).toEqual(before);
      await refund();
      await refund();
      await expectAllBack(shop, userId, couponIds);
    },
  );

  it.each([
    ['update', 'order'],
    ['update', 'order_placement'],
    ['insert', 'subscription'],
    ['update', 'user_coupon'],
    ['insert', 'coupon_ledger'],
    ['insert', 'order_payment'],
    ['insert', 'money_entry'],
    ['insert', 'system_entry'],
    ['insert', 'outbox_event'],
  ])('in a payment (%s of %s) rolls everything back, and the next call pays', async (moment, table) => {
    const { shop, userId, input } = await placed();
    const { id } = await place(world, shop, userId, input);
    const before = await contentsOf(world, shop);
    const pay = async () => world.services.payments.pay(shop.tenantId, userId, id);
    await whileBroken(moment, table, async () => expect(pay()).rejects.toThrow('broken on purpose'));
    expect(await contentsOf(world, shop)).toEqual(before);
    expect((await pay()).status).toBe('FINISHED');
    expect((await holdingsOf(world, shop, userId)).balance).toBe(0);
    await expectClean(world, shop);
  });

  it.each([
    ['insert', 'order'],
    ['insert', 'order_placement'],
    ['update', 'plan'],
    ['insert', 'order_coupon'],
    ['insert', 'coupon_ledger'],
    ['insert', 'points_ledger'],
  ])('in a placement (%s of %s) reserves nothing', async (moment, table) => {
    const { shop, userId, couponIds, input } = await placed();
    const before = await contentsOf(world, shop);
    await whileBroken(moment, table, async () =>
      expect(place(world, shop, userId, input)).rejects.toThrow('broken on purpose'),
    );
    expect(await contentsOf(world, shop)).toEqual(before);
    await expectAllBack(shop, userId, couponIds);
  });
});
