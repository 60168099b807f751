import { defineEntity, p } from '@mikro-orm/core';
import type { Campaign } from '../campaigns/campaign.entity.js';
import {
  countColumn,
  idColumn,
  instantColumn,
  smallCountColumn,
  tenantColumn,
} from '../platform/database/columns.js';

export const BATCH_STATUSES = ['PENDING', 'GENERATING', 'READY', 'FAILED', 'CANCELLED'] as const;
export type BatchStatus = (typeof BATCH_STATUSES)[number];

export const BATCH_STATUS_DESCRIPTION =
  'The codes of a READY batch are all there; those of any other cannot be redeemed. PENDING waits for a worker, which makes it GENERATING. The codes of a FAILED or CANCELLED batch are removed, and its quota has been given back.';

/** Statuses of a batch whose codes are still being made. */
export const UNDER_WAY: readonly BatchStatus[] = ['PENDING', 'GENERATING'];
/** Statuses of a batch that was given up: its quota has been given back, and its codes are removed. */
export const GIVEN_UP: readonly BatchStatus[] = ['FAILED', 'CANCELLED'];

/** Why a batch is FAILED. */
export const BATCH_FAILURES = ['CODES_COLLIDE', 'RETRIES_EXHAUSTED'] as const;
export type BatchFailure = (typeof BATCH_FAILURES)[number];

/** What of a campaign the codes of a batch are made by. */
export type BatchRecipe = Pick<Campaign, 'rule' | 'codeVisibility'>;

const CodeBatchSchema = defineEntity({
  name: 'CodeBatch',
  tableName: 'code_batch',
  uniques: [{ name: 'uq_code_batch__tenant_key', properties: ['tenantId', 'idempotencyKey'] }],
  indexes: [
    { name: 'ix_code_batch__campaign', properties: ['tenantId', 'campaignId', 'id'] },
    // Finds the batches of all tenants that still have work to be done.
    { name: 'ix_code_batch__status', properties: ['status', 'generated'] },
  ],
  properties: {
    tenantId: tenantColumn().primary(),
    id: idColumn().primary(),
    campaignId: idColumn(),
    status: p.enum(() => BATCH_STATUSES).$type<BatchStatus>(),
    requested: countColumn(),
    /** Codes stored, at every instant: it changes in the transactions that insert or remove them. */
    generated: countColumn(),
    /** As the campaign was when the codes were asked for; null where no job makes them. */
    recipe: p.json().$type<BatchRecipe>().nullable().lazy(),
    /** When the first codes were stored; null where all were at once. */
    startedAt: instantColumn().nullable(),
    /** When it became READY, FAILED or CANCELLED; null where all codes were stored at once. */
    finishedAt: instantColumn().nullable(),
    failure: p
      .enum(() => BATCH_FAILURES)
      .$type<BatchFailure>()
      .nullable(),
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

export function isUnderWay({ status }: Pick<CodeBatch, 'status'>): boolean {
  return UNDER_WAY.includes(status);
}

export function isGivenUp({ status }: Pick<CodeBatch, 'status'>): boolean {
  return GIVEN_UP.includes(status);
}
