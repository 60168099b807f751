import { afterEach, describe, expect, it, vi } from 'vitest';
import { systemEm } from '../../src/platform/database/orm.js';
import { openBeforeAll } from '../support/open-before-all.js';
import { contentsOf, expectClean, expire, holdingsOf, orderOf, place } from '../support/orders.js';
import { expectAllBack, wantFullAlone } from '../support/full-orders.js';
import { failAt, statementCount } from '../support/failing-statements.js';
import { ORDER_OPERATIONS, tallyOf } from '../support/order-operations.js';
import { createScratchDatabase } from '../support/scratch-database.js';
import { openWorld, type World } from '../support/world.js';

let world: World;
openBeforeAll(async (closing) => {
  // Broken writes are broken for everyone.
  const database = await closing(createScratchDatabase());
  world = await closing(openWorld({}, database));
});
afterEach(() => vi.restoreAllMocks());

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

const wanted = async () => wantFullAlone(world, { inventory: 3 });

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
      const full = await wanted();
      const { shop, userId, input } = full;
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
      await expectAllBack(world, full);
    },
  );

  it.each([
    ['update', 'order'],
    ['update', 'subscription'],
    ['update', 'plan'],
    ['update', 'user_coupon'],
    ['insert', 'coupon_ledger'],
    ['update', 'points_account'],
    ['update', 'points_lot'],
    ['insert', 'points_ledger'],
    ['insert', 'order_refund'],
    ['update', 'money_account'],
    ['insert', 'money_entry'],
    ['insert', 'system_entry'],
    ['insert', 'outbox_event'],
  ])(
    'S2.7 in a refund (%s of %s) rolls everything back, and the next call refunds',
    async (moment, table) => {
      const full = await wanted();
      const { shop, userId, input } = full;
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
      await expectAllBack(world, full);
    },
  );

  it.each([
    ['update', 'order'],
    ['update', 'order_placement'],
    ['insert', 'subscription'],
    ['update', 'user_coupon'],
    ['insert', 'coupon_ledger'],
    ['update', 'plan'],
    ['insert', 'order_payment'],
    ['update', 'money_account'],
    ['insert', 'money_entry'],
    ['insert', 'system_entry'],
    ['insert', 'outbox_event'],
  ])('in a payment (%s of %s) rolls everything back, and the next call pays', async (moment, table) => {
    const { shop, userId, input } = await wanted();
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
    const full = await wanted();
    const { shop, userId, input } = full;
    const before = await contentsOf(world, shop);
    await whileBroken(moment, table, async () =>
      expect(place(world, shop, userId, input)).rejects.toThrow('broken on purpose'),
    );
    expect(await contentsOf(world, shop)).toEqual(before);
    await expectAllBack(world, full);
  });
});

describe('S2.7 any statement that is not sent and fails', () => {
  it.each(ORDER_OPERATIONS)(
    'in $name leaves nothing of it, and the call repeated does it once',
    async (operation) => {
      const first = await operation.prepare(world);
      const count = await statementCount(world, async () => operation.ask(world, first));
      expect(count).toBeGreaterThan(10);
      const expected = await tallyOf(world, first.shop);
      expect(expected).toMatchObject(operation.once);
      const scene = await operation.prepare(world);
      const before = await contentsOf(world, scene.shop);
      for (let at = 1; at <= count; at += 1) {
        failAt(world, at);
        await expect(operation.ask(world, scene), `statement ${at}`).rejects.toThrow('was made to fail');
        vi.restoreAllMocks();
        expect(await contentsOf(world, scene.shop), `statement ${at}`).toEqual(before);
      }
      await operation.ask(world, scene);
      await operation.ask(world, scene);
      expect(await tallyOf(world, scene.shop)).toEqual(expected);
      await expectClean(world, scene.shop);
    },
    60_000,
  );
});
