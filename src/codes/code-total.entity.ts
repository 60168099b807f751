import { defineEntity, p } from '@mikro-orm/core';
import { idColumn, instantColumn, tenantColumn } from '../platform/database/columns.js';
import { CODE_STATUSES } from './code.entity.js';

/**
 * How many codes of a batch are alike in all that lists go by. Moved by every transaction that stores, changes, uses up
 * or deletes codes, see `code-totals.service.ts`. The columns are named as those of codes, so that one condition fits both.
 */
const CodeTotalSchema = defineEntity({
  name: 'CodeTotal',
  tableName: 'code_total',
  properties: {
    tenantId: tenantColumn().primary(),
    campaignId: idColumn().primary(),
    batchId: idColumn().primary(),
    status: p.enum(() => CODE_STATUSES).primary(),
    issuedAt: instantColumn().primary(),
    /** 1970 for codes that began with their issue. */
    startsAt: instantColumn().primary(),
    /** The last instant of 9999 for codes that never end. */
    expiresAt: instantColumn().primary(),
    isAssigned: p.boolean().primary(),
    isUsedUp: p.boolean().primary(),
    total: p.bigint('number'),
  },
});
export class CodeTotal extends CodeTotalSchema.class {}
CodeTotalSchema.setClass(CodeTotal);
