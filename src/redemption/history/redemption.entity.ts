import { defineEntity, p } from '@mikro-orm/core';
import { idColumn, instantColumn, smallCountColumn, tenantColumn } from '../../platform/database/columns.js';

export const REDEMPTION_ROW_STATUSES = ['COMMITTED', 'REVERSED', 'ABORTED'] as const;
export type RedemptionRowStatus = (typeof REDEMPTION_ROW_STATUSES)[number];

/**
 * One spent use of a code. A REVERSED row keeps its use number; where the use was given back, `user_use_no` is null, so
 * that it is not counted any more and its user may redeem the code again. An ABORTED row is a tombstone: it holds the id, so that a late
 * commit of the same redemption fails on the primary key, and nothing else (use_no, user_use_no and key are null).
 */
const RedemptionSchema = defineEntity({
  name: 'Redemption',
  tableName: 'redemption',
  uniques: [
    { name: 'uq_redemption__code_use', properties: ['tenantId', 'codeId', 'useNo'] },
    { name: 'uq_redemption__code_user_use', properties: ['tenantId', 'codeId', 'userId', 'userUseNo'] },
    { name: 'uq_redemption__user_key', properties: ['tenantId', 'userId', 'idempotencyKey'] },
  ],
  indexes: [
    { name: 'ix_redemption__campaign', properties: ['tenantId', 'campaignId', 'id'] },
    { name: 'ix_redemption__product', properties: ['tenantId', 'productCode', 'status', 'id'] },
  ],
  properties: {
    tenantId: tenantColumn().primary(),
    /** Minted before Redis is asked; the same id never commits twice. */
    id: idColumn().primary(),
    status: p.enum(() => REDEMPTION_ROW_STATUSES).$type<RedemptionRowStatus>(),
    codeId: idColumn(),
    campaignId: idColumn(),
    batchId: idColumn(),
    userId: idColumn(),
    useNo: smallCountColumn().nullable(),
    userUseNo: smallCountColumn().nullable(),
    idempotencyKey: p.string().length(64).nullable(),
    productCode: p.string().length(16),
    deviceId: p.string().length(64).nullable(),
    /** By Redis' clock; what windows, expiry and day limits were judged by. */
    claimedAt: instantColumn(),
    settledAt: instantColumn(),
    /** Why an ABORTED row is one. */
    abortReason: p.string().length(32).nullable(),
    reversedAt: instantColumn().nullable(),
    /** The member of staff who reversed it. */
    reversedBy: p.string().length(64).nullable(),
    reversalReason: p.string().length(200).nullable(),
  },
});
export class Redemption extends RedemptionSchema.class {}
RedemptionSchema.setClass(Redemption);
