import type { OutboxDraft } from '../../platform/outbox/outbox.js';
import type { Id } from '../../platform/ids.js';
import type { CouponAmount } from '../coupons/coupon-pricing.js';
import type { CloseCause, Order } from './order.entity.js';

export const ORDER_CLOSED = 'order_closed';

/** What came back when an order was closed. */
export interface ClosedOrder {
  readonly order: Pick<Order, 'id' | 'userId' | 'type' | 'createdAt'>;
  readonly coupons: readonly CouponAmount[];
  readonly points: number;
}

export function orderClosed({ order, coupons, points }: ClosedOrder, cause: CloseCause): OutboxDraft {
  const { id, userId, type } = order;
  const status = cause === 'FAILED' ? 'FAILED' : 'CLOSED';
  const payload = { orderNo: id, type, status, closeReason: cause, coupons, points };
  return { type: ORDER_CLOSED, userId, subjectId: id, payload };
}

type Priced = Pick<Order, 'id' | 'userId' | 'type' | 'amount' | 'currency'>;

export function orderPaid({ id, userId, type, amount, currency }: Priced): OutboxDraft {
  return { type: 'order_paid', userId, subjectId: id, payload: { orderNo: id, type, amount, currency } };
}

/** @param amount what went back this time */
export function orderRefunded(
  { id, userId, currency }: Priced,
  amount: string,
  isWhole: boolean,
): OutboxDraft {
  return {
    type: 'order_refunded',
    userId,
    subjectId: id,
    payload: { orderNo: id, amount, currency, isWhole },
  };
}

/** A payment came for an order that could not be paid any more. */
export function paymentRefunded(
  { id, userId, currency }: Priced,
  paymentId: Id,
  amount: string,
): OutboxDraft {
  const payload = { orderNo: id, paymentId, amount, currency };
  return { type: 'payment_refunded', userId, subjectId: id, payload };
}
