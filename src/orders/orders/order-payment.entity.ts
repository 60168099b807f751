import { defineEntity, p } from '@mikro-orm/core';
import { idColumn, instantColumn, moneyColumn, tenantColumn } from '../../platform/database/columns.js';

/** BALANCE: from the user's own account. CALLBACK: a provider said so. */
const PAYMENT_METHODS = ['BALANCE', 'CALLBACK'] as const;
type PaymentMethod = (typeof PAYMENT_METHODS)[number];

/** REFUNDED: the order could not be paid any more, and the user's balance got the money. */
const PAYMENT_OUTCOMES = ['ACCEPTED', 'REFUNDED'] as const;
export type PaymentOutcome = (typeof PAYMENT_OUTCOMES)[number];

/** Money that came in for an order, once per payment. An order has at most one that was accepted. */
const OrderPaymentSchema = defineEntity({
  name: 'OrderPayment',
  tableName: 'order_payment',
  uniques: [{ name: 'uq_order_payment__payment', properties: ['tenantId', 'method', 'paymentNo'] }],
  indexes: [{ name: 'ix_order_payment__order', properties: ['tenantId', 'orderId'] }],
  checks: [{ name: 'ck_order_payment__amount', expression: 'amount > 0' }],
  properties: {
    tenantId: tenantColumn().primary(),
    id: idColumn().primary(),
    orderId: idColumn(),
    method: p.enum(() => PAYMENT_METHODS).$type<PaymentMethod>(),
    /** The provider's id; for BALANCE the order's. */
    paymentNo: p.string().length(64),
    amount: moneyColumn(),
    currency: p.string().length(8),
    outcome: p.enum(() => PAYMENT_OUTCOMES).$type<PaymentOutcome>(),
    createdAt: instantColumn(),
  },
});
export class OrderPayment extends OrderPaymentSchema.class {}
OrderPaymentSchema.setClass(OrderPayment);
