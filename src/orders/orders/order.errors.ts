import { PLAN_DELIVERY_REFUSALS, PLAN_SALE_REFUSALS } from '../../subscriptions/plan-sale.service.js';
import { COUPON_REFUSALS } from '../coupons/coupon.errors.js';
import { POINTS_REFUSALS } from '../points/points.errors.js';

/** Why an order is not placed, in order of precedence. */
export const PLACE_ORDER_REFUSALS = [
  'IDEMPOTENCY_KEYS_DIFFER',
  'ORDER_TYPE_NOT_ALLOWED',
  'SOURCE_TYPE_NOT_ALLOWED',
  'QUANTITY_OUT_OF_RANGE',
  'AMOUNT_OUT_OF_RANGE',
  'POINTS_OUT_OF_RANGE',
  'IDEMPOTENCY_KEY_MALFORMED',
  'INPUT_NOT_ALLOWED',
  'IDEMPOTENCY_KEY_REUSED',
  'USER_DISABLED',
  'TOO_MANY_PENDING_ORDERS',
  'FACILITY_REQUIRED',
  'FACILITY_NOT_FOUND',
  'CURRENCY_REQUIRED',
  'CURRENCY_NOT_FOUND',
  'PLAN_CURRENCY_DIFFERS',
  'AMOUNT_TOO_PRECISE',
  ...PLAN_SALE_REFUSALS.filter((code) => code !== 'QUANTITY_OUT_OF_RANGE'),
  ...COUPON_REFUSALS,
  'POINTS_WORTH_NOTHING',
  'POINTS_EXCEED_TOTAL',
  ...POINTS_REFUSALS,
] as const;
export type PlaceOrderRefusal = (typeof PLACE_ORDER_REFUSALS)[number];

const ORDER_NOT_FOUND = 'ORDER_NOT_FOUND' as const;
const ORDER_NOT_PENDING = 'ORDER_NOT_PENDING' as const;

/** The ledger's other refusals are about what an order has checked when it was placed. */
const DEBIT_REFUSALS = ['ACCOUNT_HALTED', 'INSUFFICIENT_BALANCE'] as const;
const CREDIT_REFUSALS = ['ACCOUNT_HALTED', 'AMOUNT_TOO_PRECISE', 'BALANCE_OUT_OF_RANGE'] as const;

/** Why an order is not paid from the balance, in order of precedence. */
export const PAY_ORDER_REFUSALS = [
  ORDER_NOT_FOUND,
  ORDER_NOT_PENDING,
  'RECHARGE_NOT_PAYABLE_FROM_BALANCE',
  ...DEBIT_REFUSALS,
  ...PLAN_DELIVERY_REFUSALS,
] as const;

/** Why an order is not closed, in order of precedence. */
export const CANCEL_ORDER_REFUSALS = [ORDER_NOT_FOUND, ORDER_NOT_PENDING] as const;

/** Why nothing is refunded, in order of precedence. */
export const REFUND_ORDER_REFUSALS = [
  'IDEMPOTENCY_KEYS_DIFFER',
  'REASON_NOT_ALLOWED',
  'AMOUNT_OUT_OF_RANGE',
  'IDEMPOTENCY_KEY_MALFORMED',
  'INPUT_NOT_ALLOWED',
  ORDER_NOT_FOUND,
  'IDEMPOTENCY_KEY_REUSED',
  'ORDER_NOT_REFUNDABLE',
  'REFUND_EXCEEDS_PAID',
  ...CREDIT_REFUSALS,
] as const;
export type RefundOrderRefusal = (typeof REFUND_ORDER_REFUSALS)[number];

/** Why a provider's payment is not taken, in order of precedence. Money is with the provider then, not here. */
export const PAYMENT_REFUSALS = [
  'PAYMENT_CALLBACK_OFF',
  'SIGNATURE_MISMATCH',
  'TIMESTAMP_STALE',
  'PAYMENT_MALFORMED',
  'ORDER_NOT_FOUND',
  'PAYMENT_ID_REUSED',
  'PAYMENT_CURRENCY_DIFFERS',
  'PAYMENT_AMOUNT_DIFFERS',
] as const;
export type PaymentRefusal = (typeof PAYMENT_REFUSALS)[number];
