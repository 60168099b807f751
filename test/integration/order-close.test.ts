import { describe, expect, it } from 'vitest';
import { OutboxEvent } from '../../src/platform/outbox/outbox.entity.js';
import { openBeforeAll } from '../support/open-before-all.js';
import {
  contentsOf,
  expectClean,
  expire,
  giveCoupon,
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
  type CouponTerms,
  type Shop,
} from '../support/orders.js';
import { createScratchDatabase } from '../support/scratch-database.js';
import { emOf, openWorld, type World } from '../support/world.js';

let world: World;
openBeforeAll(async (closing) => {
  // The sweep is for all tenants, so that of another test must not come in between.
  const database = await closing(createScratchDatabase());
  world = await closing(openWorld({ ORDERS_PENDING_MAX: '1000' }, database));
});

const sweep = async () => world.services.orderTimeouts.sweep();
const cancel = async ({ tenantId }: Shop, id: string, userId: string | null) =>
  world.services.orderClosing.cancel(tenantId, id, userId);
/** Orders of a tenant that are closed in one transaction. */
const TOGETHER = 50;
const AMOUNT: CouponTerms = { kind: 'AMOUNT', amount: '30' };

/** An order with these coupons. */
async function orderWith(...terms: readonly CouponTerms[]) {
  const shop = await openShop(world, { inventory: 5 });
  const userId = await shopper(world, shop);
  const couponIds: string[] = [];
  for (const term of terms) couponIds.push(await giveCoupon(world, shop, userId, term));
  const order = await place(world, shop, userId, { couponIds });
  return { shop, userId, couponIds, order };
}

describe('the sweep', () => {
  it('S2.1 closes PENDING orders whose time is over, and none that are paid, young, or cleaned up elsewhere', async () => {
    const shop = await openShop(world, { inventory: 9 });
    const userId = await shopper(world, shop, '100');
    const [late, young, paid, own, closed] = await Promise.all(
      Array.from({ length: 5 }, async () => place(world, shop, userId)),
    );
    const ids = [late, paid, closed].map((order) => order?.id ?? '');
    await expire(world, shop, ids);
    // As the feature makes it that draws for prizes.
    await rowsOf(
      world,
      shop,
      `update order_placement set due_at = null where tenant_id = :tenant and order_id = ?`,
      [own?.id],
    );
    await rowsOf(
      world,
      shop,
      `update \`order\` set source_type = 'ICHIBAN' where tenant_id = :tenant and id = ?`,
      [own?.id],
    );
    await world.services.payments.pay(shop.tenantId, userId, paid?.id ?? '');
    await cancel(shop, closed?.id ?? '', userId);
    expect(await sweep()).toBe(1);
    const statuses = await Promise.all(
      [late, young, paid, own, closed].map(async (order) => {
        const { status, closeReason = null } = await orderOf(world, shop, order?.id ?? '');
        return [status, closeReason];
      }),
    );
    expect(statuses).toEqual([
      ['CLOSED', 'TIMEOUT'],
      ['PENDING', null],
      ['FINISHED', null],
      ['PENDING', null],
      ['CLOSED', 'USER'],
    ]);
    expect(await inventoryOf(world, shop)).toBe(6);
    expect(await sweep()).toBe(0);
  });

  it('S2.12 drains 250 orders of several tenants, the oldest first', async () => {
    const shops = [await openShop(world), await openShop(world)];
    for (const [at, shop] of shops.entries()) {
      const userId = await shopper(world, shop);
      for (let n = 0; n < 125; n += 1) await place(world, shop, userId);
      // The lower an id, the shorter it is over, so that the order of the ids is not that of the deadlines; those of
      // both tenants in turn.
      await rowsOf(
        world,
        shop,
        `update order_placement p join (
            select order_id, row_number() over (order by order_id) as age from order_placement where tenant_id = :tenant) a
          on a.order_id = p.order_id set p.due_at = utc_timestamp(3) - interval (a.age * 2 + ?) second
          where p.tenant_id = :tenant`,
        [at],
      );
    }
    expect(await sweep()).toBe(250);
    for (const shop of shops) {
      const events = await emOf(world, shop.tenantId).find(
        OutboxEvent,
        { type: 'order_closed' },
        { orderBy: { seq: 'asc' } },
      );
      const closed = events.map(({ payload }) => String(payload['orderNo']));
      expect(closed).toHaveLength(125);
      const oldestFirst = closed.toSorted((a, b) => Number(BigInt(b) - BigInt(a)));
      // Those of one transaction are closed at once, so they may be in any order.
      const places = closed.map((id, at) => Math.abs(at - oldestFirst.indexOf(id)));
      expect(Math.max(...places)).toBeLessThan(TOGETHER);
      await expectClean(world, shop);
    }
  });

  it('closes all others where one cannot be closed', async () => {
    const shop = await openShop(world);
    const userId = await shopper(world, shop);
    const [good, bad, last] = [
      await place(world, shop, userId),
      await place(world, shop, userId),
      await place(world, shop, userId),
    ];
    await expire(world, shop);
    // A plan that the row promises and that is not there.
    await rowsOf(
      world,
      shop,
      `update \`order\` set takes_inventory = 1, plan_id = null where tenant_id = :tenant and id = ?`,
      [bad.id],
    );
    expect(await sweep()).toBe(2);
    expect((await orderOf(world, shop, good.id)).status).toBe('CLOSED');
    expect((await orderOf(world, shop, bad.id)).status).toBe('PENDING');
    expect((await orderOf(world, shop, last.id)).status).toBe('CLOSED');
    await rowsOf(world, shop, 'update order_placement set due_at = null where tenant_id = :tenant');
  });
});

describe('a delayed job', () => {
  it('closes its order when it is due, and is delivered again when it comes early', async () => {
    const { shop, order } = await orderWith(AMOUNT);
    const job = { tenantId: shop.tenantId, orderId: order.id };
    const earlyMs = await world.services.orderTimeouts.work(job);
    expect(earlyMs).toBeGreaterThan(29 * 60_000);
    expect((await orderOf(world, shop, order.id)).status).toBe('PENDING');
    await expire(world, shop);
    for (let delivery = 0; delivery < 3; delivery += 1)
      expect(await world.services.orderTimeouts.work(job)).toBeNull();
    expect(await ledgerOf(world, shop, order.id)).toMatchObject({ COUPON_REFUND: 1 });
  });
});

describe('a closed order gives back', () => {
  it.each(['AVAILABLE', 'USED', 'RESERVED'])(
    'S2.2 exactly what an amount coupon gave, also where it is %s by now',
    async (status) => {
      const { shop, userId, couponIds, order } = await orderWith(AMOUNT);
      await rowsOf(
        world,
        shop,
        `update user_coupon set status = ?, reserved_order_id = if(status = 'RESERVED', ?, null) where tenant_id = :tenant`,
        [status, order.id],
      );
      await expire(world, shop);
      await sweep();
      expect((await holdingsOf(world, shop, userId)).coupons).toEqual({
        [couponIds[0] ?? '']: 'AVAILABLE 30',
      });
      expect(await ledgerOf(world, shop, order.id)).toEqual({ COUPON_USAGE: 1, COUPON_REFUND: 1 });
    },
  );

  it('S2.3 what the ledger says where the rows of the order are gone, counted once', async () => {
    const { shop, userId, couponIds, order } = await orderWith(AMOUNT, { kind: 'RATE', rateMille: 100 });
    await rowsOf(world, shop, 'delete from order_coupon where tenant_id = :tenant');
    await expire(world, shop);
    await sweep();
    expect((await holdingsOf(world, shop, userId)).coupons).toEqual({
      [couponIds[0] ?? '']: 'AVAILABLE 30',
      [couponIds[1] ?? '']: 'AVAILABLE 0',
    });
    expect(await ledgerOf(world, shop, order.id)).toMatchObject({ COUPON_REFUND: 2 });
  });

  it('S2.8 points once, however often and by whichever process it is closed', async () => {
    const shop = await openShop(world);
    const userId = await shopper(world, shop);
    await givePoints(world, shop, userId, 800);
    const { id } = await place(world, shop, userId, { points: 500 });
    expect((await holdingsOf(world, shop, userId)).points).toBe(300);
    await cancel(shop, id, userId);
    await cancel(shop, id, null);
    await expire(world, shop);
    await sweep();
    expect((await holdingsOf(world, shop, userId)).points).toBe(800);
    expect(await ledgerOf(world, shop, id)).toEqual({ POINTS_SPEND: 1, POINTS_GIVE_BACK: 1 });
    const [sum] = await rowsOf(
      world,
      shop,
      'select sum(points) as points from points_ledger where tenant_id = :tenant',
    );
    expect(Number(sum?.['points'])).toBe(800);
    await expectClean(world, shop);
  });

  it('S2.9 a THRESHOLD and a RATE coupon their status, and no balance', async () => {
    const threshold: CouponTerms = { kind: 'THRESHOLD', amount: '20', minimum: '50' };
    const { shop, userId, couponIds, order } = await orderWith(threshold, { kind: 'RATE', rateMille: 100 });
    expect(Number(order.discount)).toBe(30);
    await cancel(shop, order.id, userId);
    expect((await holdingsOf(world, shop, userId)).coupons).toEqual(
      Object.fromEntries(couponIds.map((id) => [id, 'AVAILABLE 0'])),
    );
    await expectClean(world, shop);
  });

  it('S2.10 an expired coupon its balance and leaves it EXPIRED', async () => {
    const { shop, userId, couponIds, order } = await orderWith(AMOUNT);
    await rowsOf(
      world,
      shop,
      `update user_coupon set expires_at = utc_timestamp(3) - interval 1 second where tenant_id = :tenant`,
    );
    await cancel(shop, order.id, userId);
    expect((await holdingsOf(world, shop, userId)).coupons).toEqual({ [couponIds[0] ?? '']: 'EXPIRED 30' });
    expect(await refusalOf(place(world, shop, userId, { couponIds }))).toBe('COUPON_EXPIRED');
  });

  it('S2.10 nothing of what another order has reserved', async () => {
    const { shop, userId, couponIds, order } = await orderWith({ kind: 'RATE', rateMille: 100 });
    const other = await place(world, shop, userId);
    await rowsOf(world, shop, 'update user_coupon set reserved_order_id = ? where tenant_id = :tenant', [
      other.id,
    ]);
    await cancel(shop, order.id, userId);
    expect(
      await rowsOf(
        world,
        shop,
        'select status, cast(reserved_order_id as char) as held from user_coupon where tenant_id = :tenant',
      ),
    ).toEqual([{ status: 'RESERVED', held: other.id }]);
    expect(couponIds).toHaveLength(1);
  });

  it('and says so in one event', async () => {
    const { shop, userId, couponIds, order } = await orderWith(AMOUNT);
    await cancel(shop, order.id, null);
    const events = await emOf(world, shop.tenantId).find(OutboxEvent, { type: 'order_closed' });
    expect(events.map(({ userId: of, subjectId, payload }) => ({ of, subjectId, ...payload }))).toEqual([
      {
        of: userId,
        subjectId: order.id,
        orderNo: order.id,
        type: 'PURCHASE',
        status: 'CLOSED',
        closeReason: 'STAFF',
        points: 0,
        coupons: [{ couponId: couponIds[0], amount: expect.stringMatching(/^30(\.0*)?$/) as string }],
      },
    ]);
  });
});

describe('cancelOrder', () => {
  it('answers a closed order as it is, and refuses others with nothing written', async () => {
    const { shop, userId, order } = await orderWith(AMOUNT);
    const stranger = await shopper(world, shop, '500');
    expect(await refusalOf(cancel(shop, order.id, stranger))).toBe('ORDER_NOT_FOUND');
    expect(await refusalOf(cancel(shop, '1', null))).toBe('ORDER_NOT_FOUND');
    expect(await cancel(shop, order.id, userId)).toMatchObject({ status: 'CLOSED', closeReason: 'USER' });
    const before = await contentsOf(world, shop);
    expect(await cancel(shop, order.id, null)).toMatchObject({ status: 'CLOSED', closeReason: 'USER' });
    expect(await contentsOf(world, shop)).toEqual(before);
    const { id } = await place(world, shop, stranger);
    await world.services.payments.pay(shop.tenantId, stranger, id);
    expect(await refusalOf(cancel(shop, id, stranger))).toBe('ORDER_NOT_PENDING');
  });
});
