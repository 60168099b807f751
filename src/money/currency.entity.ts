import { defineEntity, p } from '@mikro-orm/core';
import {
  instantColumn,
  moneyColumn,
  smallCountColumn,
  tenantColumn,
  versionColumn,
} from '../platform/database/columns.js';

const CurrencySchema = defineEntity({
  name: 'Currency',
  tableName: 'currency',
  properties: {
    tenantId: tenantColumn().primary(),
    /** As people write it, e.g. `USD` or `GOLD`. */
    code: p.string().length(8).primary(),
    name: p.string().length(64),
    /** Digits after the point. It never changes: amounts in circulation have it. */
    scale: p.tinyint().unsigned(),
    /** The part of a transfer that is kept, from 0 to below 1. */
    feeRate: moneyColumn(),
    /** The largest amount of one transfer; null means no limit. */
    transferMax: moneyColumn().nullable(),
    /** Transfers that a user may make in a day; null means no limit. */
    dailyCountMax: smallCountColumn().nullable(),
    /** The sum that a user may transfer in a day; null means no limit. */
    dailySumMax: moneyColumn().nullable(),
    enabled: p.boolean(),
    version: versionColumn(),
    createdAt: instantColumn(),
  },
});
export class Currency extends CurrencySchema.class {}
CurrencySchema.setClass(Currency);
