import { defineEntity, p } from '@mikro-orm/core';
import { idColumn, instantColumn, moneyColumn, tenantColumn } from '../../platform/database/columns.js';
import { LEDGER_CAUSES, type LedgerCause } from '../give-back.js';

/** What one coupon took off one order. */
const OrderCouponSchema = defineEntity({
  name: 'OrderCoupon',
  tableName: 'order_coupon',
  indexes: [{ name: 'ix_order_coupon__coupon', properties: ['tenantId', 'couponId', 'orderId'] }],
  properties: {
    tenantId: tenantColumn().primary(),
    orderId: idColumn().primary(),
    couponId: idColumn().primary(),
    amount: moneyColumn(),
  },
});
export class OrderCoupon extends OrderCouponSchema.class {}
OrderCouponSchema.setClass(OrderCoupon);

export const COUPON_ACTIONS = ['ISSUE', 'RESERVE', 'USAGE', 'REFUND', 'EXPIRE', 'REVERSAL'] as const;
export type CouponAction = (typeof COUPON_ACTIONS)[number];

/**
 * What happened to a coupon; never changed. The amounts of an AMOUNT coupon sum up to its balance. Those of the other
 * kinds say what an order took off and gave back; RESERVE and the USAGE that follows it are one consumption.
 */
const CouponLedgerSchema = defineEntity({
  name: 'CouponLedger',
  tableName: 'coupon_ledger',
  // Each once for an order and a coupon, so that nothing is charged twice, or given back twice for two causes.
  uniques: [
    {
      name: 'uq_coupon_ledger__order_coupon_action',
      properties: ['tenantId', 'orderId', 'couponId', 'action'],
    },
  ],
  indexes: [{ name: 'ix_coupon_ledger__coupon', properties: ['tenantId', 'couponId', 'id'] }],
  properties: {
    tenantId: tenantColumn().primary(),
    id: idColumn().primary(),
    couponId: idColumn(),
    orderId: idColumn().nullable(),
    action: p.enum(() => COUPON_ACTIONS).$type<CouponAction>(),
    /** Negative where the user has less afterwards. */
    amount: moneyColumn(),
    cause: p.enum(() => LEDGER_CAUSES).$type<LedgerCause>(),
    createdAt: instantColumn(),
  },
});
export class CouponLedger extends CouponLedgerSchema.class {}
CouponLedgerSchema.setClass(CouponLedger);
