import { describe, expect, it, vi } from 'vitest';
import { openBeforeAll } from '../support/open-before-all.js';
import {
  CURRENCY,
  expectClean,
  expire,
  giveCoupon,
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
import { expectHoldings, FULL_AMOUNT, wantFull, type FullOrder } from '../support/full-orders.js';
import { createScratchDatabase } from '../support/scratch-database.js';
import { openWorld, type World } from '../support/world.js';

/** Three processes on one database. */
let workers: readonly [World, World, World];
let world: World;
openBeforeAll(async (closing) => {
  const database = await closing(createScratchDatabase());
  const open = async (): Promise<World> => closing(openWorld({ ORDERS_PENDING_MAX: '1000' }, database));
  workers = [await open(), await open(), await open()];
  [world] = workers;
});

const ORDERS = 12;
const CLOSED_EVENTS = `select count(*) as times from outbox_event where tenant_id = :tenant and type = 'order_closed'`;

/** Orders with an amount coupon, a rate coupon and points each, of users of their own. */
async function seeded(shop: Shop, count: number, balance = 0) {
  const orders: (FullOrder & { readonly id: string })[] = [];
  for (let n = 0; n < count; n += 1) {
    const full = await wantFull(world, shop, balance);
    const { id } = await place(world, shop, full.userId, full.input);
    orders.push({ ...full, id });
  }
  return orders;
}

type Seeded = Awaited<ReturnType<typeof seeded>>[number];

async function expectBack(order: Seeded, balance = 0): Promise<void> {
  await expectHoldings(world, order, balance);
  expect(await ledgerOf(world, order.shop, order.id)).toEqual({
    COUPON_USAGE: 1,
    COUPON_RESERVE: 1,
    COUPON_REFUND: 2,
    POINTS_SPEND: 1,
    POINTS_GIVE_BACK: 1,
  });
}

interface Paid {
  /** Paid to the provider: the balance stays. */
  readonly isByProvider?: boolean;
  /** What a payment that came too late has added to the balance. */
  readonly late?: number;
}

/** Each has given all back, or nothing. @returns how many were paid */
async function expectPaidOrBack(
  orders: readonly Seeded[],
  { isByProvider = false, late = 0 }: Paid = {},
): Promise<number> {
  let paidCount = 0;
  for (const order of orders) {
    const { shop, userId, id } = order;
    const { status } = await orderOf(world, shop, id);
    if (status === 'CLOSED') {
      await expectBack(order, FULL_AMOUNT + late);
      continue;
    }
    expect(status).toBe('FINISHED');
    paidCount += 1;
    const ledger = await ledgerOf(world, shop, id);
    expect([ledger['COUPON_REFUND'], ledger['POINTS_GIVE_BACK']]).toEqual([undefined, undefined]);
    const balance = isByProvider ? FULL_AMOUNT : 0;
    expect(await holdingsOf(world, shop, userId)).toMatchObject({ balance, points: 0 });
  }
  return paidCount;
}

type Move = (by: World, order: Seeded) => Promise<unknown>;

const MOVES = {
  pay: async ({ services }, { shop, userId, id }) =>
    refusalOf(services.payments.pay(shop.tenantId, userId, id)),
  cancel: async ({ services }, { shop, userId, id }) =>
    refusalOf(services.orderClosing.cancel(shop.tenantId, id, userId)),
  timeOut: async ({ services }, { shop, id }) =>
    services.orderTimeouts.work({ tenantId: shop.tenantId, orderId: id }),
  callBack: async ({ services }, { shop, id }) => {
    const payment = { paymentId: `p-${id}`, orderNo: id, amount: `${FULL_AMOUNT}`, currency: CURRENCY };
    return services.payments.receive(shop.tenantId, payment);
  },
} satisfies Record<string, Move>;

/** The second asks for the order's row while the first has it and has moved the order. */
async function meet(order: Seeded, a: World, first: Move, b: World, second: Move): Promise<void> {
  const asked = Promise.withResolvers<void>();
  const waiting: Promise<unknown>[] = [];
  const isOf = (pattern: RegExp, query: unknown): boolean => pattern.test(String(query));
  listen(b, async (query, send) => {
    if (isOf(/from `order` .*for update/is, query)) asked.resolve();
    return send();
  });
  listen(a, async (query, send) => {
    const sent = await send();
    if (isOf(/^update `order` /i, query) && waiting.length === 0) {
      waiting.push(second(b, order));
      await asked.promise;
    }
    return sent;
  });
  await first(a, order);
  expect(waiting).toHaveLength(1);
  await Promise.all(waiting);
  vi.restoreAllMocks();
}

/** Has every statement of a worker sent by this function. */
function listen(
  { stores }: World,
  on: (query: unknown, send: () => Promise<unknown>) => Promise<unknown>,
): void {
  const connection = stores.orm.em.getConnection();
  const execute = connection.execute.bind(connection);
  vi.spyOn(connection, 'execute').mockImplementation(async (...args): Promise<unknown> =>
    on(args[0], async () => execute(...args)),
  );
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
      for (const order of orders) await expectBack(order);
      expect(await rowsOf(world, shop, CLOSED_EVENTS)).toEqual([{ times: ORDERS }]);
      expect(await inventoryOf(world, shop)).toBe(ORDERS);
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
    for (const order of orders) await expectBack(order);
    expect(await rowsOf(world, shop, CLOSED_EVENTS)).toEqual([{ times: ORDERS }]);
    await expectClean(world, shop);
  });

  it.each([
    ['pay', 'cancel', 'FINISHED'],
    ['cancel', 'pay', 'CLOSED'],
    ['callBack', 'timeOut', 'FINISHED'],
    ['timeOut', 'callBack', 'CLOSED'],
    ['pay', 'timeOut', 'FINISHED'],
    ['cancel', 'callBack', 'CLOSED'],
  ] as const)(
    'S2.6 are moved by the one that has their row first: %s before %s leaves them %s',
    async (first, second, status) => {
      const shop = await openShop(world, { inventory: 1 });
      const [order] = await seeded(shop, 1, FULL_AMOUNT);
      if (order === undefined) throw new Error('There is no order.');
      await expire(world, shop);
      await meet(order, workers[1], MOVES[first], workers[2], MOVES[second]);
      expect((await orderOf(world, shop, order.id)).status).toBe(status);
      const late = status === 'CLOSED' && second === 'callBack' ? FULL_AMOUNT : 0;
      const paid = await expectPaidOrBack([order], { isByProvider: first === 'callBack', late });
      expect(await inventoryOf(world, shop)).toBe(1 - paid);
      await expectClean(world, shop);
    },
  );

  it('S2.6 are paid or give back, never both, where payments and cancellations come at the same moment', async () => {
    const shop = await openShop(world, { inventory: ORDERS });
    const orders = await seeded(shop, ORDERS, FULL_AMOUNT);
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
    const paidCount = await expectPaidOrBack(orders);
    expect(outcomes.filter((refusal) => refusal === null)).toHaveLength(paidCount);
    expect(outcomes.filter((refusal) => refusal === 'ORDER_NOT_PENDING')).toHaveLength(ORDERS - paidCount);
    expect(await inventoryOf(world, shop)).toBe(ORDERS - paidCount);
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
      if (status === 'CLOSED') await expectBack(order, FULL_AMOUNT);
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
