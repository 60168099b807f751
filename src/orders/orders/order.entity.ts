import { defineEntity, p } from '@mikro-orm/core';
import { idColumn, instantColumn, moneyColumn, tenantColumn } from '../../platform/database/columns.js';

export const ORDER_TYPES = ['PURCHASE', 'RENEWAL', 'RESET_TRAFFIC', 'RECHARGE', 'REDEMPTION'] as const;
export type OrderType = (typeof ORDER_TYPES)[number];

export const ORDER_STATUSES = ['PENDING', 'PAID', 'CLOSED', 'FAILED', 'FINISHED', 'REFUNDED'] as const;
export type OrderStatus = (typeof ORDER_STATUSES)[number];

const OrderSchema = defineEntity({
  name: 'Order',
  tableName: 'order',
  indexes: [{ name: 'ix_order__user_type', properties: ['tenantId', 'userId', 'type', 'id'] }],
  properties: {
    tenantId: tenantColumn().primary(),
    /** Also the order number. A redemption's order bears the id of the redemption. */
    id: idColumn().primary(),
    userId: idColumn(),
    type: p.enum(() => ORDER_TYPES).$type<OrderType>(),
    status: p.enum(() => ORDER_STATUSES).$type<OrderStatus>(),
    amount: moneyColumn(),
    /** The user had no earlier paid order. A redemption does not use this up. */
    isNew: p.boolean(),
    subscriptionId: idColumn().nullable(),
    createdAt: instantColumn(),
    finishedAt: instantColumn().nullable(),
  },
});
export class Order extends OrderSchema.class {}
OrderSchema.setClass(Order);
