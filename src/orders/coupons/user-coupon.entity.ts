import { defineEntity, p } from '@mikro-orm/core';
import {
  idColumn,
  instantColumn,
  moneyColumn,
  smallCountColumn,
  tenantColumn,
  versionColumn,
} from '../../platform/database/columns.js';
import { termColumns } from './coupon-template.entity.js';

/** RESERVED by an order that is not paid yet. EXPIRED is final, whatever comes back to the balance. */
export const COUPON_STATUSES = ['AVAILABLE', 'USED', 'EXPIRED', 'RESERVED'] as const;
export type CouponStatus = (typeof COUPON_STATUSES)[number];

const UserCouponSchema = defineEntity({
  name: 'UserCoupon',
  tableName: 'user_coupon',
  uniques: [
    {
      name: 'uq_user_coupon__reward',
      properties: ['tenantId', 'redemptionId', 'rewardNo', 'ordinal'],
    },
    { name: 'uq_user_coupon__tenant_key', properties: ['tenantId', 'idempotencyKey', 'ordinal'] },
  ],
  indexes: [
    { name: 'ix_user_coupon__user', properties: ['tenantId', 'userId', 'id'] },
    { name: 'ix_user_coupon__template', properties: ['tenantId', 'templateId', 'id'] },
    // Of all tenants, for the sweep.
    { name: 'ix_user_coupon__status_expires', properties: ['status', 'expiresAt'] },
  ],
  checks: [{ name: 'ck_user_coupon__balance', expression: 'balance >= 0' }],
  properties: {
    tenantId: tenantColumn().primary(),
    id: idColumn().primary(),
    userId: idColumn(),
    templateId: idColumn(),
    /** As the template had them at the issue. */
    ...termColumns(),
    /** What an AMOUNT has left; 0 for the others. */
    balance: moneyColumn(),
    status: p.enum(() => COUPON_STATUSES).$type<CouponStatus>(),
    reservedOrderId: idColumn().nullable(),
    /** The order that used it up. */
    usedOrderId: idColumn().nullable(),
    /** The first instant at which it is no longer valid; null means never. */
    expiresAt: instantColumn().nullable(),
    /** The reward that issued it; null where staff did. */
    redemptionId: idColumn().nullable(),
    rewardNo: smallCountColumn().nullable(),
    /** Among the coupons that were issued together, from 0. */
    ordinal: smallCountColumn(),
    /** As {@link keyDigest} makes it. */
    idempotencyKey: p.string().length(64).nullable(),
    argumentsDigest: p.character().length(64).nullable(),
    version: versionColumn(),
    createdAt: instantColumn(),
  },
});
export class UserCoupon extends UserCouponSchema.class {}
UserCouponSchema.setClass(UserCoupon);
