import { defineEntity, p } from '@mikro-orm/core';
import {
  idColumn,
  instantColumn,
  moneyColumn,
  smallCountColumn,
  tenantColumn,
  versionColumn,
} from '../../platform/database/columns.js';

/**
 * AMOUNT is a balance that can be used in parts, THRESHOLD takes an amount off totals from a minimum on, RATE takes
 * a share off the whole total.
 */
export const COUPON_KINDS = ['AMOUNT', 'THRESHOLD', 'RATE'] as const;
export type CouponKind = (typeof COUPON_KINDS)[number];

/** Properties of what a coupon takes off; coupons keep a copy of those of their template. */
export const termColumns = () => ({
  kind: p.enum(() => COUPON_KINDS).$type<CouponKind>(),
  currency: p.string().length(8),
  /** The balance of an AMOUNT, what a THRESHOLD takes off; 0 for a RATE. */
  amount: moneyColumn(),
  /** The least total of a THRESHOLD; 0 for the others. */
  minimum: moneyColumn(),
  /** Per mille of the original total that a RATE takes off; 0 for the others. */
  rateMille: smallCountColumn(),
});

const CouponTemplateSchema = defineEntity({
  name: 'CouponTemplate',
  tableName: 'coupon_template',
  checks: [
    { name: 'ck_coupon_template__issued', expression: 'issue_limit is null or issued <= issue_limit' },
  ],
  properties: {
    tenantId: tenantColumn().primary(),
    id: idColumn().primary(),
    name: p.string().length(64),
    ...termColumns(),
    /** Coupons that there may ever be; null means any number. */
    issueLimit: smallCountColumn().nullable(),
    issued: smallCountColumn().default(0),
    /** Days from the issue of a coupon to its expiry; null leaves only the end of the window. */
    validDays: smallCountColumn().nullable(),
    /** Coupons are issued and used in `startsAt ≤ t < endsAt`. */
    startsAt: instantColumn().nullable(),
    endsAt: instantColumn().nullable(),
    enabled: p.boolean(),
    version: versionColumn(),
    createdAt: instantColumn(),
  },
});
export class CouponTemplate extends CouponTemplateSchema.class {}
CouponTemplateSchema.setClass(CouponTemplate);
