import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { priceCoupons, type PricedCoupon } from '../../src/orders/coupons/coupon-pricing.js';
import { consumedBy, givenBackBy, takenBy, type CouponState } from '../../src/orders/coupons/coupon-state.js';
import { Money } from '../../src/platform/decimal.js';

const order = { total: '100', scale: 2, sharePercent: 50 };
const amountOf = (id: string, balance: string): PricedCoupon => ({
  id,
  kind: 'AMOUNT',
  amount: balance,
  rateMille: 0,
  balance,
});
const thresholdOf = (id: string, amount: string): PricedCoupon => ({
  ...amountOf(id, '0'),
  kind: 'THRESHOLD',
  amount,
});
const rateOf = (id: string, rateMille: number): PricedCoupon => ({
  ...amountOf(id, '0'),
  kind: 'RATE',
  rateMille,
});

describe('S2.11 the prices of coupons', () => {
  it('take a rate of the original total, whatever was taken off before', () => {
    expect(priceCoupons(order, [thresholdOf('1', '30'), rateOf('2', 100)])).toEqual({
      discount: '40',
      applied: [
        { couponId: '1', amount: '30' },
        { couponId: '2', amount: '10' },
      ],
    });
  });

  it('stop at the share of the total, and leave coupons alone for which nothing is left', () => {
    expect(priceCoupons(order, [amountOf('1', '45'), amountOf('2', '45'), rateOf('3', 500)])).toEqual({
      discount: '50',
      applied: [
        { couponId: '1', amount: '45' },
        { couponId: '2', amount: '5' },
      ],
    });
  });

  it('are cut at the scale of the currency, in favour of the tenant', () => {
    expect(priceCoupons({ ...order, total: '9.99' }, [rateOf('1', 333)]).discount).toBe('3.32');
    expect(priceCoupons({ ...order, total: '9.99' }, [amountOf('1', '10')]).discount).toBe('4.99');
    expect(priceCoupons({ ...order, total: '9', scale: 0 }, [amountOf('1', '10')]).discount).toBe('4');
  });

  it('take nothing off where the share is 0, and all of it where it is 100', () => {
    expect(priceCoupons({ ...order, sharePercent: 0 }, [rateOf('1', 1000)])).toEqual({
      discount: '0',
      applied: [],
    });
    expect(priceCoupons({ ...order, sharePercent: 100 }, [rateOf('1', 1000)]).discount).toBe('100');
  });
});

const amount = fc.bigInt(0n, 10n ** 14n).map((units) => new Money(units.toString()).div(100).toFixed());
const coupon = fc
  .record({
    kind: fc.constantFrom('AMOUNT' as const, 'THRESHOLD' as const, 'RATE' as const),
    amount,
    rateMille: fc.integer({ min: 0, max: 1000 }),
    balance: amount,
  })
  .map((terms): PricedCoupon => ({ ...terms, id: '99' }));
const coupons = fc
  .array(coupon, { maxLength: 8 })
  .map((list) => list.map((each, at) => ({ ...each, id: String(at + 1) })));
const priced = fc.record({
  total: amount,
  scale: fc.integer({ min: 0, max: 4 }),
  sharePercent: fc.integer({ min: 0, max: 100 }),
});

describe('S2.11 for any order and any coupons', () => {
  it('all together never take more than the share, and each never more than it offers', () => {
    fc.assert(
      fc.property(priced, coupons, (of, given) => {
        const { discount, applied } = priceCoupons(of, given);
        const sum = applied.reduce((total, one) => total.plus(one.amount), new Money(0));
        expect(sum.toFixed()).toBe(discount);
        expect(sum.lte(new Money(of.total).times(of.sharePercent).div(100))).toBe(true);
        for (const { couponId, amount: taken } of applied) {
          const { kind, balance, amount: off, rateMille } = given[Number(couponId) - 1] as PricedCoupon;
          const offer =
            kind === 'RATE'
              ? new Money(of.total).times(rateMille).div(1000)
              : kind === 'AMOUNT'
                ? balance
                : off;
          expect(new Money(taken).gt(0) && new Money(taken).lte(offer)).toBe(true);
          expect(new Money(taken).decimalPlaces()).toBeLessThanOrEqual(of.scale);
        }
      }),
    );
  });

  it('another coupon never makes the discount smaller', () => {
    fc.assert(
      fc.property(priced, coupons, coupon, (of, given, more) => {
        const before = new Money(priceCoupons(of, given).discount);
        const after = priceCoupons(of, [...given, more]).discount;
        expect(before.lte(after)).toBe(true);
      }),
    );
  });
});

const state = fc.record({
  kind: fc.constantFrom('AMOUNT' as const, 'THRESHOLD' as const, 'RATE' as const),
  expiresAtMs: fc.option(fc.integer({ min: 1, max: 1000 })),
});

describe('S2.2 whatever an order does with a coupon', () => {
  it('S2.9 comes back exactly, and nothing that has expired is revived', () => {
    fc.assert(
      fc.property(
        state,
        fc.integer({ min: 1, max: 100 }),
        fc.boolean(),
        fc.integer({ min: 1, max: 2000 }),
        ({ kind, expiresAtMs }, taken, isPaid, atMs) => {
          const before: CouponState = {
            kind,
            status: 'AVAILABLE',
            balance: kind === 'AMOUNT' ? '100' : '0',
            expiresAt: expiresAtMs === null ? null : new Date(expiresAtMs),
            reservedOrderId: null,
            usedOrderId: null,
          };
          const reserved = { ...before, ...takenBy(before, String(taken), '7') };
          const held =
            isPaid && reserved.status === 'RESERVED' ? { ...reserved, ...consumedBy('7') } : reserved;
          const after = { ...held, ...givenBackBy(held, String(taken), '7', atMs) };
          const isOver = expiresAtMs !== null && expiresAtMs <= atMs;
          expect(after).toEqual({ ...before, status: isOver ? 'EXPIRED' : 'AVAILABLE' });
        },
      ),
    );
  });

  it('S2.10 leaves the reservation of another order alone', () => {
    const held: CouponState = { kind: 'RATE', status: 'RESERVED', balance: '0', reservedOrderId: '8' };
    expect(givenBackBy(held, '5', '7', 0)).toEqual({});
    const used: CouponState = { kind: 'RATE', status: 'USED', balance: '0', usedOrderId: '8' };
    expect(givenBackBy(used, '5', '7', 0)).toEqual({});
    expect(givenBackBy({ ...held, kind: 'AMOUNT' }, '5', '7', 0)).toEqual({ balance: '5' });
  });
});
