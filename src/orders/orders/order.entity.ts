import { defineEntity, p } from '@mikro-orm/core';
import {
  idColumn,
  instantColumn,
  moneyColumn,
  smallCountColumn,
  tenantColumn,
} from '../../platform/database/columns.js';

export const ORDER_TYPES = ['PURCHASE', 'RENEWAL', 'RESET_TRAFFIC', 'RECHARGE', 'REDEMPTION'] as const;
export type OrderType = (typeof ORDER_TYPES)[number];

/** Those of orders that users place. A redemption makes the others. */
export const PLACED_TYPES = [
  'PURCHASE',
  'RENEWAL',
  'RESET_TRAFFIC',
  'RECHARGE',
] as const satisfies readonly OrderType[];

export const ORDER_STATUSES = ['PENDING', 'PAID', 'CLOSED', 'FAILED', 'FINISHED', 'REFUNDED'] as const;
export type OrderStatus = (typeof ORDER_STATUSES)[number];

export const ORDER_SOURCES = ['MALL', 'DRAW', 'ICHIBAN', 'GAME_PASS'] as const;
export type OrderSource = (typeof ORDER_SOURCES)[number];

/** FAILED: it was paid, and what was bought could not be delivered any more. */
export const CLOSE_CAUSES = ['TIMEOUT', 'USER', 'STAFF', 'FAILED'] as const;
export type CloseCause = (typeof CLOSE_CAUSES)[number];

/**
 * Orders of redemptions are inserted on the hot path. What they do not have is NULL, which takes no room in their rows,
 * and what placed orders are looked up by is in `order_placement`, so that this table needs no index but those of lists.
 */
const OrderSchema = defineEntity({
  name: 'Order',
  tableName: 'order',
  indexes: [
    { name: 'ix_order__user_type', properties: ['tenantId', 'userId', 'type', 'id'] },
    { name: 'ix_order__type_status', properties: ['tenantId', 'type', 'status', 'id'] },
  ],
  properties: {
    tenantId: tenantColumn().primary(),
    /** Also the order number. A redemption's order bears the id of the redemption. */
    id: idColumn().primary(),
    userId: idColumn(),
    type: p.enum(() => ORDER_TYPES).$type<OrderType>(),
    status: p.enum(() => ORDER_STATUSES).$type<OrderStatus>(),
    /** What is to be paid, or was: the total without what coupons and points take off. */
    amount: moneyColumn(),
    /** The user had no earlier paid order. A redemption does not use this up. Decided by the payment. */
    isNew: p.boolean(),
    subscriptionId: idColumn().nullable(),
    createdAt: instantColumn(),
    finishedAt: instantColumn().nullable(),
    /** From here on NULL for a redemption. */
    sourceType: p
      .enum(() => ORDER_SOURCES)
      .$type<OrderSource>()
      .nullable(),
    currency: p.string().length(8).nullable(),
    /** With the currency: the account that pays, that refunds go to, and that a recharge fills. */
    facilityId: idColumn().nullable(),
    /** NULL for a RECHARGE. */
    planId: idColumn().nullable(),
    quantity: smallCountColumn().nullable(),
    /** Whether it holds one of the plan's inventory while it is PENDING. */
    takesInventory: p.boolean().nullable(),
    total: moneyColumn().nullable(),
    /** What its coupons take off. */
    discount: moneyColumn().nullable(),
    pointsSpent: smallCountColumn().nullable(),
    refunded: moneyColumn().nullable(),
    paidAt: instantColumn().nullable(),
    closedAt: instantColumn().nullable(),
    closeReason: p
      .enum(() => CLOSE_CAUSES)
      .$type<CloseCause>()
      .nullable(),
  },
});
export class Order extends OrderSchema.class {}
OrderSchema.setClass(Order);
