import { Money } from '../../platform/decimal.js';
import type { Id } from '../../platform/ids.js';
import type { CouponKind } from './coupon-template.entity.js';

export interface PricedOrder {
  /** Before any discount. */
  readonly total: string;
  /** Digits of the currency after the point. */
  readonly scale: number;
  /** What all coupons together may take off, per cent of the total. */
  readonly sharePercent: number;
}

export interface PricedCoupon {
  readonly id: Id;
  readonly kind: CouponKind;
  readonly amount: string;
  readonly rateMille: number;
  readonly balance: string;
}

/** What one coupon takes off an order, or gets back from it. */
export interface CouponAmount {
  readonly couponId: Id;
  readonly amount: string;
}

export interface Discount {
  /** The sum of what the coupons take off. */
  readonly discount: string;
  /** In the order in which they were given. A coupon for which nothing is left is not among them, and stays as it is. */
  readonly applied: readonly CouponAmount[];
}

/**
 * What coupons take off, one after another in the given order, until the share of the total that all of them may take
 * is used up. A rate counts from the original total, whatever was taken off before. Amounts are cut at the currency's
 * scale, and the share too: what cannot be paid out is in the tenant's favour, so the share is never exceeded.
 */
export function priceCoupons(order: PricedOrder, coupons: readonly PricedCoupon[]): Discount {
  const total = new Money(order.total);
  const share = cut(total.times(order.sharePercent).div(100), order.scale);
  let left = share;
  const applied: CouponAmount[] = [];
  for (const coupon of coupons) {
    const amount = Money.min(cut(offerOf(coupon, total), order.scale), left);
    if (amount.lte(0)) continue;
    left = left.minus(amount);
    applied.push({ couponId: coupon.id, amount: amount.toFixed() });
  }
  return { discount: share.minus(left).toFixed(), applied };
}

function offerOf({ kind, amount, rateMille, balance }: PricedCoupon, total: Money): Money {
  if (kind === 'RATE') return total.times(rateMille).div(1000);
  return new Money(kind === 'AMOUNT' ? balance : amount);
}

function cut(amount: Money, scale: number): Money {
  return amount.toDecimalPlaces(scale, Money.ROUND_DOWN);
}
