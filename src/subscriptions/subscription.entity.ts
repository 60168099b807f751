import { defineEntity, p } from '@mikro-orm/core';
import { countColumn, idColumn, instantColumn, tenantColumn } from '../platform/database/columns.js';

export const SUBSCRIPTION_STATUSES = [
  'PENDING',
  'ACTIVE',
  'FINISHED',
  'EXPIRED',
  'DEDUCTED',
  'STOPPED',
] as const;
export type SubscriptionStatus = (typeof SUBSCRIPTION_STATUSES)[number];

const DUE_AT = `(case when status = 'ACTIVE' then case when traffic_bytes > 0
      and traffic_used_bytes >= traffic_bytes then started_at else expires_at end end) stored`;

const SubscriptionSchema = defineEntity({
  name: 'Subscription',
  tableName: 'subscription',
  indexes: [
    { name: 'ix_subscription__user_plan', properties: ['tenantId', 'userId', 'planId'] },
    { name: 'ix_subscription__due', properties: ['dueAt'] },
    // The running ones of a plan, for nodes; ids are unique beyond tenants, so the tenant is not in it.
    { name: 'ix_subscription__plan_status', properties: ['planId', 'status', 'id'] },
  ],
  uniques: [{ name: 'uq_subscription__tenant_token', properties: ['tenantId', 'token'] }],
  properties: {
    tenantId: tenantColumn().primary(),
    id: idColumn().primary(),
    userId: idColumn(),
    planId: idColumn(),
    /** The order that started it. */
    orderId: idColumn(),
    status: p.enum(() => SUBSCRIPTION_STATUSES).$type<SubscriptionStatus>(),
    /** The secret in the user's subscription address; kept for the subscription's life. */
    token: p.character().length(32),
    uuid: p.character().length(36),
    startedAt: instantColumn(),
    /** Null means that it never ends. */
    expiresAt: instantColumn().nullable(),
    /** The day of the month that extensions by months return to; null where the plan does not keep one. */
    anchorDay: p.tinyint().unsigned().nullable(),
    /** 0 means unlimited. */
    trafficBytes: countColumn(),
    trafficUsedBytes: countColumn(),
    updatedAt: instantColumn(),
    /** Whether it took one of its plan's inventory, which comes back when what started it is taken back. */
    holdsInventory: p.boolean().default(true),
    /**
     * Kept by the database: from when on an ACTIVE row has ended, by its traffic or by its end; null for all others.
     * Only the sweep reads it.
     */
    dueAt: instantColumn().nullable().lazy().generated(DUE_AT),
  },
});
export class Subscription extends SubscriptionSchema.class {}
SubscriptionSchema.setClass(Subscription);
