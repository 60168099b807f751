import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import {
  CURRENCY,
  expectClean,
  expire,
  giveCoupon,
  givePoints,
  holdingsOf,
  ledgerOf,
  openShop,
  orderOf,
  place,
  refusalOf,
  rowsOf,
  shopper,
  type Shop,
} from '../support/orders.js';
import { createScratchDatabase, type ScratchDatabase } from '../support/scratch-database.js';
import { openWorld, type World } from '../support/world.js';

/** Three processes on one database. */
let database: ScratchDatabase;
let workers: readonly [World, World, World];
let world: World;
beforeAll(async () => {
  database = await createScratchDatabase(inject('databaseUrl'));
  const open = async (): Promise<World> =>
    openWorld({ ORDERS_PENDING_MAX: '1000' }, { databaseUrl: database.databaseUrl });
  workers = [await open(), await open(), await open()];
  [world] = workers;
});
afterAll(async () => {
  for (const worker of workers) await worker.close();
  await database.drop();
});

const ORDERS = 12;
const CLOSED_EVENTS = `select count(*) as times from outbox_event where tenant_id = :tenant and type = 'order_closed'`;

/** Orders with an amount coupon, a rate coupon and points each, of users of their own. */
async function seeded(shop: Shop, count: number, balance = '0') {
  const orders: { userId: string; id: string; couponIds: string[] }[] = [];
  for (let n = 0; n < count; n += 1) {
    const userId = await shopper(world, shop, balance);
    await givePoints(world, shop, userId, 100);
    const couponIds = [
      await giveCoupon(world, shop, userId, { kind: 'AMOUNT', amount: '10' }),
      await giveCoupon(world, shop, userId, { kind: 'RATE', rateMille: 50 }),
    ];
    const { id } = await place(world, shop, userId, { couponIds, points: 100 });
    orders.push({ userId, id, couponIds });
  }
  return orders;
}

type Seeded = Awaited<ReturnType<typeof seeded>>[number];

async function expectBack(
  shop: Shop,
  { userId, id, couponIds: [amount = '', rate = ''] }: Seeded,
  balance = 0,
) {
  expect(await holdingsOf(world, shop, userId)).toEqual({
    balance,
    points: 100,
    coupons: { [amount]: 'AVAILABLE 10', [rate]: 'AVAILABLE 0' },
  });
  expect(await ledgerOf(world, shop, id)).toEqual({
    COUPON_USAGE: 1,
    COUPON_RESERVE: 1,
    COUPON_REFUND: 2,
    POINTS_SPEND: 1,
    POINTS_GIVE_BACK: 1,
  });
}

describe('orders whose time is over', () => {
  it.each(Array.from({ length: 10 }, (_, run) => run + 1))(
    'S2.4 give back once with three workers that sweep and do the jobs (run %i of 10)',
    async () => {
      const shop = await openShop(world, { inventory: ORDERS });
      const orders = await seeded(shop, ORDERS);
      await expire(world, shop);
      const { tenantId } = shop;
      await Promise.all(
        workers.flatMap(({ services: { orderTimeouts } }) => [
          orderTimeouts.sweep(),
          ...orders.map(async ({ id: orderId }) => orderTimeouts.work({ tenantId, orderId })),
        ]),
      );
      // What one has passed over because another had it at hand, the other has closed.
      for (const order of orders) await expectBack(shop, order);
      expect(await rowsOf(world, shop, CLOSED_EVENTS)).toEqual([{ times: ORDERS }]);
      expect(await rowsOf(world, shop, 'select inventory from plan where tenant_id = :tenant')).toEqual([
        { inventory: ORDERS },
      ]);
      await expectClean(world, shop);
    },
    60_000,
  );

  it('S2.5 give back once where their users cancel them at the same moment', async () => {
    const shop = await openShop(world, { inventory: ORDERS });
    const orders = await seeded(shop, ORDERS);
    await expire(world, shop);
    await Promise.all([
      ...workers.map(async ({ services }) => services.orderTimeouts.sweep()),
      ...orders.map(async ({ id, userId }, at) => {
        const { services } = workers[at % 3] ?? world;
        return services.orderClosing.cancel(shop.tenantId, id, userId);
      }),
      ...orders.map(async ({ id }) => world.services.orderClosing.cancel(shop.tenantId, id, null)),
    ]);
    for (const order of orders) await expectBack(shop, order);
    expect(await rowsOf(world, shop, CLOSED_EVENTS)).toEqual([{ times: ORDERS }]);
    await expectClean(world, shop);
  });

  it('S2.6 are paid or give back, never both, where payments and cancellations come at the same moment', async () => {
    const shop = await openShop(world, { inventory: ORDERS });
    const orders = await seeded(shop, ORDERS, '84');
    await expire(world, shop);
    const { tenantId } = shop;
    const outcomes = await Promise.all(
      orders.map(async ({ id, userId }, at) => {
        const [a, b] = [workers[at % 3] ?? world, workers[(at + 1) % 3] ?? world];
        const [paid] = await Promise.all([
          refusalOf(a.services.payments.pay(tenantId, userId, id)),
          refusalOf(b.services.orderClosing.cancel(tenantId, id, userId)),
          world.services.orderTimeouts.work({ tenantId, orderId: id }),
        ]);
        return paid;
      }),
    );
    await world.services.orderTimeouts.sweep();
    let paidCount = 0;
    for (const [at, order] of orders.entries()) {
      const { status } = await orderOf(world, shop, order.id);
      expect([status, outcomes[at]]).toEqual(
        status === 'FINISHED' ? ['FINISHED', null] : ['CLOSED', 'ORDER_NOT_PENDING'],
      );
      if (status === 'CLOSED') {
        await expectBack(shop, order, 84);
        continue;
      }
      paidCount += 1;
      const ledger = await ledgerOf(world, shop, order.id);
      expect([ledger['COUPON_REFUND'], ledger['POINTS_GIVE_BACK']]).toEqual([undefined, undefined]);
      expect(await holdingsOf(world, shop, order.userId)).toMatchObject({ balance: 0, points: 0 });
    }
    expect(await rowsOf(world, shop, 'select inventory from plan where tenant_id = :tenant')).toEqual([
      { inventory: ORDERS - paidCount },
    ]);
    await expectClean(world, shop);
  }, 60_000);

  it('S2.6 are refunded by themselves where a provider’s payment comes at the same moment', async () => {
    const shop = await openShop(world);
    const orders = await seeded(shop, ORDERS);
    await expire(world, shop);
    const { tenantId } = shop;
    const answers = await Promise.all(
      orders.map(async ({ id, userId }, at) => {
        const { services } = workers[at % 3] ?? world;
        const payment = { paymentId: `p-${id}`, orderNo: id, amount: '84', currency: CURRENCY };
        const [first, second] = await Promise.all([
          services.payments.receive(tenantId, payment),
          world.services.payments.receive(tenantId, payment),
          refusalOf(world.services.orderClosing.cancel(tenantId, id, userId)),
          services.orderTimeouts.work({ tenantId, orderId: id }),
        ]);
        expect(second).toEqual(first);
        return first.outcome;
      }),
    );
    for (const [at, order] of orders.entries()) {
      const { status } = await orderOf(world, shop, order.id);
      expect([status, answers[at]]).toEqual(
        status === 'FINISHED' ? ['FINISHED', 'ACCEPTED'] : ['CLOSED', 'REFUNDED'],
      );
      expect((await holdingsOf(world, shop, order.userId)).balance).toBe(status === 'CLOSED' ? 84 : 0);
      if (status === 'CLOSED') await expectBack(shop, order, 84);
    }
    await expectClean(world, shop);
  }, 60_000);
});

describe('one coupon', () => {
  it('is reserved by one of two orders that want it at the same moment', async () => {
    const shop = await openShop(world);
    for (let run = 0; run < 5; run += 1) {
      const userId = await shopper(world, shop);
      const coupon = await giveCoupon(world, shop, userId, { kind: 'RATE', rateMille: 100 });
      const refusals = await Promise.all(
        workers
          .slice(0, 2)
          .map(async (worker) => refusalOf(place(worker, shop, userId, { couponIds: [coupon] }))),
      );
      expect(new Set(refusals)).toEqual(new Set(['COUPON_NOT_AVAILABLE', null]));
      expect((await holdingsOf(world, shop, userId)).coupons).toEqual({ [coupon]: 'RESERVED 0' });
    }
  });

  it('of an amount gives no more than it has to orders at the same moment', async () => {
    const shop = await openShop(world);
    const userId = await shopper(world, shop);
    const coupon = await giveCoupon(world, shop, userId, { kind: 'AMOUNT', amount: '70' });
    const orders = await Promise.all(
      workers.map(async (worker) => place(worker, shop, userId, { couponIds: [coupon] }).catch(() => null)),
    );
    const discounts = orders.map((order) => Number(order?.discount ?? 0));
    expect(discounts.toSorted((a, b) => a - b)).toEqual([0, 20, 50]);
    expect((await holdingsOf(world, shop, userId)).coupons).toEqual({ [coupon]: 'USED 0' });
  });
});
