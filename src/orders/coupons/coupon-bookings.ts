import { LockMode } from '@mikro-orm/core';
import type { Em } from '../../platform/database/orm.js';
import { Money } from '../../platform/decimal.js';
import { sortedIds, type Id } from '../../platform/ids.js';
import { CouponLedger, OrderCoupon } from './coupon-ledger.entity.js';
import { UserCoupon } from './user-coupon.entity.js';

/** The coupons as they are now, locked in primary-key order, for the unit of work to change. */
export async function lockCoupons(em: Em, couponIds: readonly Id[]): Promise<Map<Id, UserCoupon>> {
  const coupons = await em.find(
    UserCoupon,
    { id: { $in: sortedIds(couponIds) } },
    {
      orderBy: { id: 'asc' },
      indexHint: 'force index (primary)',
      lockMode: LockMode.PESSIMISTIC_WRITE,
      // What the unit of work has read before the lock may be out of date.
      refresh: true,
    },
  );
  return new Map(coupons.map((coupon) => [coupon.id, coupon]));
}

/**
 * What each coupon gave to an order: by `order_coupon`, and by the ledger where that has no row. There a RESERVE and
 * the USAGE that followed it are one consumption, and count once.
 */
export async function takenByOrder(em: Em, orderId: Id): Promise<Map<Id, string>> {
  const where = { orderId, action: { $in: ['RESERVE', 'USAGE'] } } as const;
  const entries = await em.find(CouponLedger, where, { disableIdentityMap: true });
  const booked = await em.find(OrderCoupon, { orderId }, { disableIdentityMap: true });
  const ofAction = (action: 'RESERVE' | 'USAGE') =>
    entries
      .filter((entry) => entry.action === action)
      .map(({ couponId, amount }) => [couponId, new Money(amount).negated().toFixed()] as const);
  return new Map([
    ...ofAction('RESERVE'),
    ...ofAction('USAGE'),
    ...booked.map(({ couponId, amount }) => [couponId, new Money(amount).toFixed()] as const),
  ]);
}

/** The coupons to which an order has given back what it took. To be asked when they are locked. */
export async function refundedByOrder(em: Em, orderId: Id): Promise<Set<Id>> {
  const where = { orderId, action: 'REFUND' } as const;
  const refunds = await em.find(CouponLedger, where, { disableIdentityMap: true });
  return new Set(refunds.map(({ couponId }) => couponId));
}
