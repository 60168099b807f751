import { defineEntity, p } from '@mikro-orm/core';
import {
  instantColumn,
  smallCountColumn,
  tenantColumn,
  versionColumn,
} from '../platform/database/columns.js';

export const PRODUCT_LINE_STATUSES = ['ACTIVE', 'DISABLED'] as const;
export type ProductLineStatus = (typeof PRODUCT_LINE_STATUSES)[number];

const ProductLineSchema = defineEntity({
  name: 'ProductLine',
  tableName: 'product_line',
  properties: {
    tenantId: tenantColumn().primary(),
    /** What clients send as `x-product-code`, e.g. `APP_A`. */
    code: p.string().length(16).primary(),
    name: p.string().length(64),
    status: p.enum(() => PRODUCT_LINE_STATUSES).$type<ProductLineStatus>(),
    /** Attempts admitted in any rolling hour; 0 means no limit, null the default of the installation. */
    hourLimit: smallCountColumn().nullable(),
    /** Attempts admitted in any rolling day; 0 means no limit, null the default of the installation. */
    dayLimit: smallCountColumn().nullable(),
    version: versionColumn(),
    createdAt: instantColumn(),
  },
});
export class ProductLine extends ProductLineSchema.class {}
ProductLineSchema.setClass(ProductLine);
