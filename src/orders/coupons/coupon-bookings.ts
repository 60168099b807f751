import { LockMode } from '@mikro-orm/core';
import type { Em } from '../../platform/database/orm.js';
import { writeRows } from '../../platform/database/write-rows.js';
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

/** The same, apart from the unit of work: for many coupons, which {@link writeCoupons} then changes. */
export async function lockCouponRows(em: Em, couponIds: readonly Id[]): Promise<Map<Id, UserCoupon>> {
  const coupons = await em.find(
    UserCoupon,
    { id: { $in: sortedIds(couponIds) } },
    {
      orderBy: { id: 'asc' },
      indexHint: 'force index (primary)',
      lockMode: LockMode.PESSIMISTIC_WRITE,
      disableIdentityMap: true,
    },
  );
  return new Map(coupons.map((coupon) => [coupon.id, coupon]));
}

/** Locked coupons, as they are to be. Raw, so that closing many orders takes one statement: the unit of work sends one for each. */
export async function writeCoupons(em: Em, tenantId: string, coupons: readonly UserCoupon[]): Promise<void> {
  await writeRows(em, {
    table: 'user_coupon',
    prefix: { tenant_id: tenantId },
    column: 'id',
    rows: coupons.map(({ id, status, balance, reservedOrderId, usedOrderId }) => [
      id,
      {
        status,
        balance,
        reserved_order_id: reservedOrderId ?? null,
        used_order_id: usedOrderId ?? null,
      },
    ]),
    common: ['version = version + 1'],
  });
}

/**
 * What each coupon gave to each of these orders: by `order_coupon`, and by the ledger where that has no row. There a
 * RESERVE and the USAGE that followed it are one consumption, and count once.
 */
export async function takenByOrders(em: Em, orderIds: readonly Id[]): Promise<Map<Id, Map<Id, string>>> {
  const orderId = { $in: [...orderIds] };
  const where = { orderId, action: { $in: ['RESERVE', 'USAGE'] } } as const;
  const entries = await em.find(CouponLedger, where, { disableIdentityMap: true });
  const booked = await em.find(OrderCoupon, { orderId }, { disableIdentityMap: true });
  const taken = new Map(orderIds.map((id) => [id, new Map<Id, string>()]));
  const note = (id: Id, couponId: Id, amount: Money): void =>
    void taken.get(id)?.set(couponId, amount.toFixed());
  // What is noted later overrules what was noted before.
  for (const action of ['RESERVE', 'USAGE'] as const)
    for (const entry of entries.filter((each) => each.action === action))
      note(entry.orderId ?? '', entry.couponId, new Money(entry.amount).negated());
  for (const { orderId: id, couponId, amount } of booked) note(id, couponId, new Money(amount));
  return taken;
}

/** By order, the coupons to which it has given back what it took. To be asked when they are locked. */
export async function refundedByOrders(em: Em, orderIds: readonly Id[]): Promise<Map<Id, Set<Id>>> {
  const where = { orderId: { $in: [...orderIds] }, action: 'REFUND' } as const;
  const refunds = await em.find(CouponLedger, where, { disableIdentityMap: true });
  const byOrder = Map.groupBy(refunds, ({ orderId }) => orderId ?? '');
  return new Map([...byOrder].map(([id, own]) => [id, new Set(own.map(({ couponId }) => couponId))]));
}
