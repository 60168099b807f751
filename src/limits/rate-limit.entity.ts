import { defineEntity, p } from '@mikro-orm/core';
import {
  instantColumn,
  smallCountColumn,
  tenantColumn,
  versionColumn,
} from '../platform/database/columns.js';

/** Whose attempts at a product line one bound counts; the bound of the line itself stands in its own row. */
export const CALLER_SCOPES = ['USER', 'DEVICE', 'IP'] as const;
export type CallerScope = (typeof CALLER_SCOPES)[number];

/** Limits of single callers at one product line; what is null, or has no row, is a share of the line's own limit. */
const RateLimitSchema = defineEntity({
  name: 'RateLimit',
  tableName: 'rate_limit',
  properties: {
    tenantId: tenantColumn().primary(),
    productCode: p.string().length(16).primary(),
    scope: p
      .enum(() => CALLER_SCOPES)
      .$type<CallerScope>()
      .primary(),
    /** Attempts admitted in any rolling hour; 0 means no limit. */
    hourLimit: smallCountColumn().nullable(),
    /** Attempts admitted in any rolling day; 0 means no limit. */
    dayLimit: smallCountColumn().nullable(),
    version: versionColumn(),
    updatedAt: instantColumn(),
  },
});
export class RateLimit extends RateLimitSchema.class {}
RateLimitSchema.setClass(RateLimit);
