import { defineEntity, p } from '@mikro-orm/core';
import { idColumn, instantColumn, tenantColumn } from '../../platform/database/columns.js';

/** What is known of an order that was placed, and of no redemption's: the indexes here cost redemptions nothing. */
const OrderPlacementSchema = defineEntity({
  name: 'OrderPlacement',
  tableName: 'order_placement',
  uniques: [{ name: 'uq_order_placement__tenant_key', properties: ['tenantId', 'idempotencyKey'] }],
  indexes: [{ name: 'ix_order_placement__due', properties: ['dueAt'] }],
  properties: {
    tenantId: tenantColumn().primary(),
    orderId: idColumn().primary(),
    /** When a PENDING order is closed; NULL for one that is not, and where its source has a clean-up of its own. */
    dueAt: instantColumn().nullable(),
    /** The time that the subscription got, so that a refund takes exactly this back; NULL until then. */
    periodFrom: instantColumn().nullable(),
    /** NULL also for a period that never ends. */
    periodUntil: instantColumn().nullable(),
    idempotencyKey: p.string().length(64).nullable(),
    argumentsDigest: p.character().length(64).nullable(),
  },
});
export class OrderPlacement extends OrderPlacementSchema.class {}
OrderPlacementSchema.setClass(OrderPlacement);
