import type { OrderPaymentState, OrderQuery, OrderStatus, OrderType } from './orders.gql';

export type Order = NonNullable<OrderQuery['order']>;

export const TYPES = [
  'PURCHASE',
  'RENEWAL',
  'RECHARGE',
  'RESET_TRAFFIC',
  'REDEMPTION',
] as const satisfies readonly OrderType[];

export const STATUSES = [
  'PENDING',
  'PAID',
  'FINISHED',
  'CLOSED',
  'FAILED',
  'REFUNDED',
] as const satisfies readonly OrderStatus[];

export const PAYMENT_STATES = [
  'UNPAID',
  'PAID',
  'PARTLY_REFUNDED',
  'REFUNDED',
] as const satisfies readonly OrderPaymentState[];
