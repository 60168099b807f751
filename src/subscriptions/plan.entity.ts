import { defineEntity, p } from '@mikro-orm/core';
import {
  countColumn,
  idColumn,
  instantColumn,
  moneyColumn,
  smallCountColumn,
  tenantColumn,
  versionColumn,
} from '../platform/database/columns.js';
import { TIME_UNITS, type TimeUnit } from '../rewards/time-unit.js';

export const RESET_CYCLES = ['NONE', 'MONTH', 'YEAR'] as const;
export type ResetCycle = (typeof RESET_CYCLES)[number];

const PlanSchema = defineEntity({
  name: 'Plan',
  tableName: 'plan',
  properties: {
    tenantId: tenantColumn().primary(),
    id: idColumn().primary(),
    name: p.string().length(64),
    unitPrice: moneyColumn(),
    unitTime: p.enum(() => TIME_UNITS).$type<TimeUnit>(),
    /** 0 means unlimited. */
    trafficBytes: countColumn(),
    deviceLimit: smallCountColumn(),
    /** Live subscriptions of this plan a user may hold; 0 means unlimited. */
    quotaPerUser: smallCountColumn(),
    /** New subscriptions left; -1 means unlimited, 0 sold out. */
    inventory: p.integer(),
    nodeIds: p.json().$type<string[]>(),
    nodeTags: p.json().$type<string[]>(),
    /** Rules purchases only: a code gives what is not for sale, too. */
    sell: p.boolean(),
    show: p.boolean(),
    /** Set by the first subscription of the plan that has no end, so that prechecks look for one only where it may be. */
    heldForEver: p.boolean().default(false),
    /** Whether subscriptions remember the day of the month on which they began; see `calendar.ts`. */
    keepsAnchorDay: p.boolean().default(false),
    resetCycle: p.enum(() => RESET_CYCLES).$type<ResetCycle>(),
    version: versionColumn(),
    createdAt: instantColumn(),
    /** What new traffic costs within a running period; null where it is not sold. */
    resetPrice: moneyColumn().nullable(),
    /** Of both prices; null means the tenant's only currency that is enabled. */
    currency: p.string().length(8).nullable(),
  },
});
export class Plan extends PlanSchema.class {}
PlanSchema.setClass(Plan);
