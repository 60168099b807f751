import { defineEntity, p } from '@mikro-orm/core';
import {
  countColumn,
  idColumn,
  instantColumn,
  smallCountColumn,
  tenantColumn,
} from '../platform/database/columns.js';

export const BATCH_STATUSES = ['PENDING', 'GENERATING', 'READY', 'FAILED', 'CANCELLED'] as const;
export type BatchStatus = (typeof BATCH_STATUSES)[number];

const CodeBatchSchema = defineEntity({
  name: 'CodeBatch',
  tableName: 'code_batch',
  uniques: [{ name: 'uq_code_batch__tenant_key', properties: ['tenantId', 'idempotencyKey'] }],
  indexes: [{ name: 'ix_code_batch__campaign', properties: ['tenantId', 'campaignId', 'id'] }],
  properties: {
    tenantId: tenantColumn().primary(),
    id: idColumn().primary(),
    campaignId: idColumn(),
    status: p.enum(() => BATCH_STATUSES).$type<BatchStatus>(),
    requested: countColumn(),
    generated: countColumn(),
    /** Freeze and void are flags of the batch, never millions of updates. */
    frozenAt: instantColumn().nullable(),
    voidedAt: instantColumn().nullable(),
    /** Made to be activated at sale, and not activated yet. */
    awaitsActivation: p.boolean().default(false),
    activatedAt: instantColumn().nullable(),
    /** Codes that would end before this instant end at it. A flag of the batch, too. */
    extendedTo: instantColumn().nullable(),
    version: smallCountColumn(),
    /** As {@link keyDigest} makes it. */
    idempotencyKey: p.string().length(64).nullable(),
    argumentsDigest: p.character().length(64).nullable(),
    createdAt: instantColumn(),
  },
});
export class CodeBatch extends CodeBatchSchema.class {}
CodeBatchSchema.setClass(CodeBatch);
