import { defineEntity, p } from '@mikro-orm/core';
import { LIMIT_SCOPES, type LimitScope } from '../../limits/rate-limit.service.js';
import { idColumn, instantColumn, smallCountColumn, tenantColumn } from '../../platform/database/columns.js';
import type { RedeemRefusal } from '../redemption.errors.js';

/** A refused attempt, kept for staff for some days. A sample: under a flood most are not kept. */
const RefusedAttemptSchema = defineEntity({
  name: 'RefusedAttempt',
  tableName: 'refused_attempt',
  indexes: [
    { name: 'ix_refused_attempt__user', properties: ['tenantId', 'userId', 'id'] },
    { name: 'ix_refused_attempt__digest', properties: ['tenantId', 'codeDigest', 'id'] },
    { name: 'ix_refused_attempt__refusal', properties: ['tenantId', 'refusal', 'id'] },
    { name: 'ix_refused_attempt__at', properties: ['refusedAt'] },
  ],
  properties: {
    tenantId: tenantColumn().primary(),
    id: idColumn().primary(),
    refusedAt: instantColumn(),
    userId: idColumn(),
    /** As it was sent; what is no product code is cut. */
    productCode: p.string().length(16).nullable(),
    deviceId: p.string().length(64).nullable(),
    /** The client's address; of IPv6 its /64 network. */
    address: p.string().length(45).nullable(),
    /** Never the code itself; null where what was typed cannot be a code. */
    codeDigest: p.character().length(43).nullable(),
    isPreview: p.boolean(),
    refusal: p.string().length(40).$type<RedeemRefusal>(),
    limitedBy: p
      .enum(() => LIMIT_SCOPES)
      .$type<LimitScope>()
      .nullable(),
    retryAfterMs: smallCountColumn().nullable(),
    /** Further refusals of the same user within the same seconds, which are not kept one by one. */
    further: smallCountColumn(),
  },
});
export class RefusedAttempt extends RefusedAttemptSchema.class {}
RefusedAttemptSchema.setClass(RefusedAttempt);
