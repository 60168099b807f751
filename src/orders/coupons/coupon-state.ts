import { invariant } from '../../platform/assert.js';
import { Money } from '../../platform/decimal.js';
import type { Id } from '../../platform/ids.js';
import type { CouponKind } from './coupon-template.entity.js';
import type { CouponStatus } from './user-coupon.entity.js';

/** What orders change of a coupon. */
export interface CouponState {
  readonly kind: CouponKind;
  readonly status: CouponStatus;
  readonly balance: string;
  readonly expiresAt?: Date | null | undefined;
  readonly reservedOrderId?: Id | null | undefined;
  readonly usedOrderId?: Id | null | undefined;
}

type CouponChange = Partial<Pick<CouponState, 'status' | 'balance' | 'reservedOrderId' | 'usedOrderId'>>;

export function isExpired({ expiresAt }: Pick<CouponState, 'expiresAt'>, nowMs: number): boolean {
  return expiresAt !== null && expiresAt !== undefined && expiresAt.getTime() <= nowMs;
}

/** The sweep comes a little late; what has expired is shown as expired at once. */
export function couponStatusAt(
  coupon: Pick<CouponState, 'status' | 'expiresAt'>,
  nowMs: number,
): CouponStatus {
  return coupon.status === 'AVAILABLE' && isExpired(coupon, nowMs) ? 'EXPIRED' : coupon.status;
}

/** An order takes its discount: an AMOUNT is charged at once, and available while anything is left. */
export function takenBy(coupon: CouponState, amount: string, orderId: Id): CouponChange {
  invariant(coupon.status === 'AVAILABLE', 'A coupon that is not available was taken.');
  if (coupon.kind !== 'AMOUNT') return { status: 'RESERVED', reservedOrderId: orderId };
  const balance = new Money(coupon.balance).minus(amount);
  invariant(!balance.isNegative(), 'A coupon was charged more than its balance.');
  return balance.isZero()
    ? { balance: '0', status: 'USED', usedOrderId: orderId }
    : { balance: balance.toFixed() };
}

/** The order is paid: what it has reserved is used. */
export function consumedBy(orderId: Id): CouponChange {
  return { status: 'USED', reservedOrderId: null, usedOrderId: orderId };
}

/**
 * The order gives back what it took. An AMOUNT gets it on its balance whatever its status; the other kinds have none,
 * and get their status back. Neither touches what another order has reserved, and nothing is revived that has expired.
 */
export function givenBackBy(coupon: CouponState, amount: string, orderId: Id, nowMs: number): CouponChange {
  const status = isOfOther(coupon, orderId)
    ? {}
    : ({
        status: coupon.status === 'EXPIRED' || isExpired(coupon, nowMs) ? 'EXPIRED' : 'AVAILABLE',
        reservedOrderId: null,
        usedOrderId: null,
      } as const);
  if (coupon.kind !== 'AMOUNT') return status;
  return { ...status, balance: new Money(coupon.balance).plus(amount).toFixed() };
}

/** Whether another order holds the whole coupon. An AMOUNT that another order has used up has a balance again. */
function isOfOther({ kind, status, reservedOrderId, usedOrderId }: CouponState, orderId: Id): boolean {
  if (status !== 'RESERVED' && (status !== 'USED' || kind === 'AMOUNT')) return false;
  const holder = status === 'RESERVED' ? reservedOrderId : usedOrderId;
  return holder !== null && holder !== undefined && holder !== orderId;
}
