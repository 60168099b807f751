import { defineEntity, p } from '@mikro-orm/core';
import {
  idColumn,
  instantColumn,
  moneyColumn,
  smallCountColumn,
  tenantColumn,
} from '../../platform/database/columns.js';

/** Money that staff gave back. The refund that makes it the whole amount also gives coupons and points back. */
const OrderRefundSchema = defineEntity({
  name: 'OrderRefund',
  tableName: 'order_refund',
  uniques: [{ name: 'uq_order_refund__tenant_key', properties: ['tenantId', 'idempotencyKey'] }],
  checks: [{ name: 'ck_order_refund__amount', expression: 'amount >= 0' }],
  properties: {
    tenantId: tenantColumn().primary(),
    orderId: idColumn().primary(),
    /** From 1. */
    refundNo: smallCountColumn().primary(),
    /** 0 where coupons and points had paid all. */
    amount: moneyColumn(),
    reason: p.string().length(255),
    staffId: p.string().length(64),
    /** What could not be taken back of the subscription, in words. */
    debt: p.string().length(100).nullable(),
    idempotencyKey: p.string().length(64).nullable(),
    argumentsDigest: p.character().length(64).nullable(),
    createdAt: instantColumn(),
  },
});
export class OrderRefund extends OrderRefundSchema.class {}
OrderRefundSchema.setClass(OrderRefund);
