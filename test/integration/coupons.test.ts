import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CouponLedger } from '../../src/orders/coupons/coupon-ledger.entity.js';
import { CouponService } from '../../src/orders/coupons/coupon.service.js';
import { UserCoupon } from '../../src/orders/coupons/user-coupon.entity.js';
import type { IdGenerator } from '../../src/platform/ids.js';
import { isDuplicateKey } from '../../src/platform/database/sql-errors.js';
import {
  apply,
  consume,
  couponState,
  giveBack,
  later,
  ledgerOf,
  openShop,
  orderCouponsOf,
  refusalOf,
  seedCoupon,
  seedTemplate,
  within,
  type Shop,
} from '../support/coupon-world.js';
import { emOf, openWorld, seedUser, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => world?.close());

const newId = (): string => world.services.ids.next();

describe('S2.11 applied to an order', () => {
  it('S2.11 coupons take at most half of the total, a rate of the original one, and a balance is kept in part', async () => {
    const shop = await openShop(world);
    const [amount, rate, threshold] = [
      await seedCoupon(shop, 'AMOUNT', { amount: '30' }),
      await seedCoupon(shop, 'RATE', { rateMille: 250 }),
      await seedCoupon(shop, 'THRESHOLD', { amount: '20', minimum: '100' }),
    ];
    const orderId = newId();
    expect(await apply(shop, orderId, [threshold, rate, amount])).toEqual({
      discount: '50',
      applied: [
        { couponId: threshold, amount: '20' },
        { couponId: rate, amount: '25' },
        { couponId: amount, amount: '5' },
      ],
    });
    expect(await couponState(shop, amount)).toMatchObject({ status: 'AVAILABLE', balance: '25' });
    expect(await couponState(shop, rate)).toMatchObject({ status: 'RESERVED', reservedOrderId: orderId });
    expect(await couponState(shop, threshold)).toMatchObject({ status: 'RESERVED', balance: '0' });
    expect(await orderCouponsOf(shop, orderId)).toEqual([`${amount} 5`, `${rate} 25`, `${threshold} 20`]);
    expect(await ledgerOf(shop, amount)).toEqual(['ISSUE 30', 'USAGE -5']);
    expect(await ledgerOf(shop, rate)).toEqual(['ISSUE 0', 'RESERVE -25']);
  });

  it('S2.11 a coupon for which nothing is left stays as it was', async () => {
    const shop = await openShop(world);
    const [first, second] = [
      await seedCoupon(shop, 'AMOUNT', { amount: '50' }),
      await seedCoupon(shop, 'RATE'),
    ];
    const orderId = newId();
    const { applied } = await apply(shop, orderId, [first, second]);
    expect(applied).toEqual([{ couponId: first, amount: '50' }]);
    expect(await couponState(shop, first)).toMatchObject({
      status: 'USED',
      balance: '0',
      usedOrderId: orderId,
    });
    expect(await couponState(shop, second)).toMatchObject({ status: 'AVAILABLE', reservedOrderId: null });
    expect(await ledgerOf(shop, second)).toEqual(['ISSUE 0']);
  });

  it('S2.11 consumes what it has reserved when it is paid, once', async () => {
    const shop = await openShop(world);
    const [rate, amount] = [await seedCoupon(shop, 'RATE'), await seedCoupon(shop, 'AMOUNT')];
    const orderId = newId();
    await apply(shop, orderId, [rate, amount]);
    await consume(shop, orderId);
    await consume(shop, orderId);
    expect(await couponState(shop, rate)).toMatchObject({
      status: 'USED',
      usedOrderId: orderId,
      reservedOrderId: null,
    });
    expect(await ledgerOf(shop, rate)).toEqual(['ISSUE 0', 'RESERVE -10', 'USAGE -10']);
    expect(await ledgerOf(shop, amount)).toEqual(['ISSUE 10', 'USAGE -10']);
  });

  it('is refused by the first reason that applies, and writes nothing', async () => {
    const shop = await openShop(world);
    const good = await seedCoupon(shop, 'AMOUNT');
    const other = await seedCoupon({ ...shop, userId: await seedUser(world, shop.tenantId) }, 'AMOUNT');
    const reserved = await seedCoupon(shop, 'RATE');
    const held = newId();
    await apply(shop, held, [reserved]);
    const expiring = await seedCoupon(shop, 'AMOUNT', { validDays: 1 });
    const high = await seedCoupon(shop, 'THRESHOLD', { minimum: '100.01' });
    const now = later(2);
    const refused: [string, string[], object?][] = [
      ['COUPON_COUNT_OUT_OF_RANGE', Array.from({ length: 21 }, () => good)],
      ['COUPON_REPEATED', [good, good]],
      ['COUPON_NOT_FOUND', [good, other]],
      ['COUPON_NOT_FOUND', [good, 'no id']],
      ['COUPON_NOT_FOUND', [reserved, newId()]],
      ['COUPON_NOT_AVAILABLE', [expiring, reserved], { now }],
      ['COUPON_EXPIRED', [high, expiring], { now }],
      ['COUPON_CURRENCY_MISMATCH', [good, high], { currency: 'EUR' }],
      ['COUPON_BELOW_THRESHOLD', [good, high]],
    ];
    const answers: string[] = [];
    for (const [, ids, order] of refused) {
      const orderId = newId();
      answers.push(await refusalOf(apply(shop, orderId, ids, order)));
      expect(await orderCouponsOf(shop, orderId)).toEqual([]);
    }
    expect(answers).toEqual(refused.map(([code]) => code));
    expect(await couponState(shop, good)).toMatchObject({ status: 'AVAILABLE', balance: '10' });
    expect(await ledgerOf(shop, good)).toEqual(['ISSUE 10']);
    expect(await couponState(shop, reserved)).toMatchObject({ status: 'RESERVED', reservedOrderId: held });
  });

  it('S2.7 leaves nothing behind where one entry of the ledger fails', async () => {
    const shop = await openShop(world);
    const [first, second] = [await seedCoupon(shop, 'AMOUNT'), await seedCoupon(shop, 'AMOUNT')];
    const orderId = newId();
    const { tenantId } = shop;
    await emOf(world, tenantId).insert(CouponLedger, {
      tenantId,
      id: newId(),
      couponId: second,
      orderId,
      action: 'USAGE',
      amount: '-1',
      cause: 'ORDER',
      createdAt: new Date(),
    });
    await expect(apply(shop, orderId, [first, second])).rejects.toSatisfy(isDuplicateKey);
    for (const id of [first, second])
      expect(await couponState(shop, id)).toMatchObject({ status: 'AVAILABLE', balance: '10' });
    expect(await ledgerOf(shop, first)).toEqual(['ISSUE 10']);
    expect(await orderCouponsOf(shop, orderId)).toEqual([]);
  });
});

describe('S2.2 given back by an order', () => {
  async function setStatus({ tenantId }: Shop, id: string, values: object): Promise<void> {
    await emOf(world, tenantId).nativeUpdate(UserCoupon, { id }, values);
  }

  it.each(['AVAILABLE', 'USED', 'RESERVED'] as const)(
    'S2.2 an amount coupon that is %s gets exactly what was applied',
    async (status) => {
      const shop = await openShop(world);
      const coupon = await seedCoupon(shop, 'AMOUNT', { amount: '30' });
      const orderId = newId();
      await apply(shop, orderId, [coupon], { total: '23.33' });
      expect(await couponState(shop, coupon)).toMatchObject({ balance: '18.34' });
      await setStatus(shop, coupon, { status });
      expect(await giveBack(shop, orderId)).toEqual([{ couponId: coupon, amount: '11.66' }]);
      expect(await couponState(shop, coupon)).toMatchObject({ status: 'AVAILABLE', balance: '30' });
      expect(await ledgerOf(shop, coupon)).toEqual(['ISSUE 30', 'USAGE -11.66', 'REFUND 11.66']);
    },
  );

  it('S2.2 a coupon that two orders used up in parts gets from each what that took', async () => {
    const shop = await openShop(world);
    const coupon = await seedCoupon(shop, 'AMOUNT', { amount: '10' });
    const [first, second] = [newId(), newId()];
    await apply(shop, first, [coupon], { total: '8' });
    await apply(shop, second, [coupon], { total: '100' });
    expect(await couponState(shop, coupon)).toMatchObject({ status: 'USED', balance: '0' });
    await giveBack(shop, first, 'CANCELLED');
    expect(await couponState(shop, coupon)).toMatchObject({ status: 'AVAILABLE', balance: '4' });
    await giveBack(shop, second, 'REFUNDED');
    expect(await couponState(shop, coupon)).toMatchObject({ status: 'AVAILABLE', balance: '10' });
  });

  it('S2.3 without order_coupon it is taken from the ledger, and a consumption counts once', async () => {
    const shop = await openShop(world);
    const [amount, rate] = [await seedCoupon(shop, 'AMOUNT'), await seedCoupon(shop, 'RATE')];
    const orderId = newId();
    await apply(shop, orderId, [amount, rate], { total: '14' });
    await consume(shop, orderId);
    await emOf(world, shop.tenantId).execute('delete from order_coupon where tenant_id = ?', [shop.tenantId]);
    // As former programs have written it: reserved first, then used.
    await emOf(world, shop.tenantId).insert(CouponLedger, {
      tenantId: shop.tenantId,
      id: newId(),
      couponId: amount,
      orderId,
      action: 'RESERVE',
      amount: '-7',
      cause: 'ORDER',
      createdAt: new Date(),
    });
    expect(await giveBack(shop, orderId)).toEqual([{ couponId: amount, amount: '7' }]);
    expect(await couponState(shop, amount)).toMatchObject({ balance: '10' });
    expect(await couponState(shop, rate)).toMatchObject({ status: 'AVAILABLE', balance: '0' });
  });

  it.each([false, true])(
    'S2.9 THRESHOLD and RATE get their status back and no balance, paid: %s',
    async (isPaid) => {
      const shop = await openShop(world);
      const [threshold, rate] = [await seedCoupon(shop, 'THRESHOLD'), await seedCoupon(shop, 'RATE')];
      const orderId = newId();
      await apply(shop, orderId, [threshold, rate]);
      if (isPaid) await consume(shop, orderId);
      const back = await giveBack(shop, orderId, isPaid ? 'REFUNDED' : 'TIMEOUT');
      expect(back.map(({ amount }) => amount)).toEqual(['5', '10']);
      const free = { status: 'AVAILABLE', balance: '0', reservedOrderId: null, usedOrderId: null };
      for (const id of [threshold, rate]) expect(await couponState(shop, id)).toEqual(free);
      expect((await ledgerOf(shop, rate)).at(-1)).toBe('REFUND 10');
    },
  );

  it('S2.10 an expired coupon gets its balance, stays EXPIRED, and cannot be used', async () => {
    const shop = await openShop(world);
    const [amount, rate] = [
      await seedCoupon(shop, 'AMOUNT', { validDays: 1 }),
      await seedCoupon(shop, 'RATE', { validDays: 1 }),
    ];
    const orderId = newId();
    await apply(shop, orderId, [rate, amount], { total: '10' });
    await giveBack(shop, orderId, 'TIMEOUT', later(2));
    expect(await couponState(shop, amount)).toMatchObject({ status: 'EXPIRED', balance: '10' });
    expect(await couponState(shop, rate)).toMatchObject({ status: 'EXPIRED', balance: '0' });
    for (const id of [amount, rate])
      expect(await refusalOf(apply(shop, newId(), [id], { now: later(2) }))).toBe('COUPON_EXPIRED');
  });

  it("S2.10 another order's reservation is untouched", async () => {
    const shop = await openShop(world);
    const coupon = await seedCoupon(shop, 'RATE');
    const [first, second] = [newId(), newId()];
    await apply(shop, first, [coupon]);
    // By hand, as a program without these guards would leave it.
    await setStatus(shop, coupon, { status: 'RESERVED', reservedOrderId: second });
    await giveBack(shop, first);
    expect(await couponState(shop, coupon)).toMatchObject({ status: 'RESERVED', reservedOrderId: second });
  });

  it('S2.10 comes back once for all causes, and not again after another order has reserved it', async () => {
    const shop = await openShop(world);
    const coupon = await seedCoupon(shop, 'RATE');
    const [first, second] = [newId(), newId()];
    await apply(shop, first, [coupon]);
    expect(await giveBack(shop, first, 'TIMEOUT')).toHaveLength(1);
    await apply(shop, second, [coupon]);
    for (const cause of ['TIMEOUT', 'CANCELLED', 'REFUNDED'] as const)
      expect(await giveBack(shop, first, cause)).toEqual([]);
    expect(await couponState(shop, coupon)).toMatchObject({ status: 'RESERVED', reservedOrderId: second });
  });

  it('S2.7 gives nothing back where one entry of the ledger fails', async () => {
    const shop = await openShop(world);
    const [first, second] = [await seedCoupon(shop, 'AMOUNT'), await seedCoupon(shop, 'RATE')];
    const orderId = newId();
    await apply(shop, orderId, [second, first], { total: '18' });
    const before = [await couponState(shop, first), await couponState(shop, second)];
    // The second entry gets the id of another one, so that it fails.
    const { id: taken } = await emOf(world, shop.tenantId).findOneOrFail(CouponLedger, {
      couponId: second,
      orderId,
    });
    const ids = [newId(), taken];
    const broken = new CouponService({ next: () => ids.shift() ?? '' } as IdGenerator, 50);
    const work = within(shop, async (em) =>
      broken.giveBack(em, shop.tenantId, orderId, 'TIMEOUT', new Date()),
    );
    await expect(work).rejects.toSatisfy(isDuplicateKey);
    expect([await couponState(shop, first), await couponState(shop, second)]).toEqual(before);
    expect(await giveBack(shop, orderId)).toHaveLength(2);
  });
});

describe('S2.4 from many sides at once', () => {
  it('S2.4 twenty closings of one order write one refund', async () => {
    const shop = await openShop(world);
    const [amount, rate] = [await seedCoupon(shop, 'AMOUNT'), await seedCoupon(shop, 'RATE')];
    const orderId = newId();
    await apply(shop, orderId, [rate, amount], { total: '14' });
    const causes = ['TIMEOUT', 'CANCELLED', 'REFUNDED'] as const;
    const closings = Array.from({ length: 20 }, async (_, at) =>
      giveBack(shop, orderId, causes[at % causes.length]),
    );
    const back = (await Promise.all(closings)).flat();
    expect(back.map(({ couponId }) => couponId).toSorted()).toEqual([amount, rate].toSorted());
    expect(await couponState(shop, amount)).toMatchObject({ balance: '10' });
    expect((await ledgerOf(shop, amount)).filter((entry) => entry.startsWith('REFUND'))).toEqual([
      'REFUND 5.6',
    ]);
    expect(await ledgerOf(shop, rate)).toEqual(['ISSUE 0', 'RESERVE -1.4', 'REFUND 1.4']);
  });

  it('S2.10 twenty orders reserve one coupon: one gets it', async () => {
    const shop = await openShop(world);
    const coupon = await seedCoupon(shop, 'RATE');
    const orders = Array.from({ length: 20 }, newId);
    const answers = await Promise.all(
      orders.map(async (orderId) => refusalOf(apply(shop, orderId, [coupon]))),
    );
    expect(answers.filter((answer) => answer === 'DONE')).toHaveLength(1);
    expect(answers.filter((answer) => answer === 'COUPON_NOT_AVAILABLE')).toHaveLength(19);
    const winner = orders[answers.indexOf('DONE')];
    expect(await couponState(shop, coupon)).toMatchObject({ status: 'RESERVED', reservedOrderId: winner });
    expect(await ledgerOf(shop, coupon)).toEqual(['ISSUE 0', 'RESERVE -10']);
  });

  it('S2.11 twenty orders share one balance: none takes more than it has', async () => {
    const shop = await openShop(world);
    const coupon = await seedCoupon(shop, 'AMOUNT', { amount: '10' });
    const answers = await Promise.all(
      Array.from({ length: 20 }, async () => refusalOf(apply(shop, newId(), [coupon], { total: '2' }))),
    );
    expect(answers.filter((answer) => answer === 'DONE')).toHaveLength(10);
    expect(await couponState(shop, coupon)).toMatchObject({ status: 'USED', balance: '0' });
    expect(await ledgerOf(shop, coupon)).toHaveLength(11);
  });

  it('a template with a limit of 20 is asked from 50 sides: twenty are issued', async () => {
    const shop = await openShop(world);
    const { tenantId, userId } = shop;
    const templateId = await seedTemplate(shop, 'RATE', { issueLimit: 20 });
    const answers = await Promise.all(
      Array.from({ length: 50 }, async () =>
        refusalOf(world.services.couponIssues.issue(tenantId, { templateId, userId })),
      ),
    );
    expect(answers.filter((answer) => answer === 'DONE')).toHaveLength(20);
    expect(answers.filter((answer) => answer === 'ISSUE_LIMIT_REACHED')).toHaveLength(30);
    expect(await emOf(world, tenantId).count(UserCoupon, { templateId })).toBe(20);
    expect(
      (await world.services.couponTemplates.list(tenantId, { offset: 0, size: 1 })).items[0],
    ).toMatchObject({ issued: 20 });
  });

  it('twenty calls with one key issue one set of coupons, also where it is the last', async () => {
    const shop = await openShop(world);
    const { tenantId, userId } = shop;
    const templateId = await seedTemplate(shop, 'AMOUNT', { issueLimit: 3 });
    const input = { templateId, userId, count: 3, idempotencyKey: 'thrice' };
    const answers = await Promise.all(
      Array.from({ length: 20 }, async () => world.services.couponIssues.issue(tenantId, input)),
    );
    const ids = new Set(answers.map(({ coupons }) => coupons.map(({ id }) => id).join()));
    expect(ids.size).toBe(1);
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(await emOf(world, tenantId).count(UserCoupon, { templateId })).toBe(3);
  });
});

describe('S2.10 the sweep', () => {
  it('S2.10 expires what was available, once from many sides, and leaves what an order holds', async () => {
    const shop = await openShop(world);
    const { tenantId } = shop;
    const coupons = await Promise.all(Array.from({ length: 12 }, async () => seedCoupon(shop, 'AMOUNT')));
    const held = await seedCoupon(shop, 'RATE');
    await apply(shop, newId(), [held]);
    const valid = await seedCoupon(shop, 'AMOUNT', { validDays: 1 });
    await emOf(world, tenantId).execute(
      'update user_coupon set expires_at = utc_timestamp(3) - interval 1 second where tenant_id = ? and id <> ?',
      [tenantId, valid],
    );
    await Promise.all(Array.from({ length: 4 }, async () => world.services.couponExpiry.run()));
    await world.services.couponExpiry.run();
    for (const id of coupons) {
      expect(await couponState(shop, id)).toMatchObject({ status: 'EXPIRED', balance: '10' });
      expect(await ledgerOf(shop, id)).toEqual(['ISSUE 10', 'EXPIRE 0']);
    }
    expect(await couponState(shop, held)).toMatchObject({ status: 'RESERVED' });
    expect(await couponState(shop, valid)).toMatchObject({ status: 'AVAILABLE' });
  });
});
