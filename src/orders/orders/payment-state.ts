import { isZero } from './order-pricing.js';
import type { Order, OrderStatus } from './order.entity.js';

/** What has become of the money of a placed order. */
export const PAYMENT_STATES = ['UNPAID', 'PAID', 'PARTLY_REFUNDED', 'REFUNDED'] as const;
export type PaymentState = (typeof PAYMENT_STATES)[number];

/** The states of orders in which it is found. */
export const STATUSES_OF_PAYMENT: Readonly<Record<PaymentState, readonly OrderStatus[]>> = {
  UNPAID: ['PENDING', 'CLOSED', 'FAILED'],
  PAID: ['PAID', 'FINISHED'],
  PARTLY_REFUNDED: ['PAID', 'FINISHED'],
  REFUNDED: ['REFUNDED'],
};

/** Null for a redemption, which nothing is paid for. */
export function paymentStateOf({
  type,
  status,
  refunded,
}: Pick<Order, 'type' | 'status' | 'refunded'>): PaymentState | null {
  if (type === 'REDEMPTION') return null;
  if (status === 'REFUNDED') return 'REFUNDED';
  if (STATUSES_OF_PAYMENT.UNPAID.includes(status)) return 'UNPAID';
  return isZero(refunded ?? '0') ? 'PAID' : 'PARTLY_REFUNDED';
}
