import { defineEntity, p } from '@mikro-orm/core';
import { idColumn, instantColumn, smallCountColumn, tenantColumn } from '../platform/database/columns.js';

/** A USER alone may redeem what is allocated to them; a CHANNEL hands its codes on. */
export const RECEIVER_TYPES = ['USER', 'CHANNEL'] as const;
export type ReceiverType = (typeof RECEIVER_TYPES)[number];

/** Codes that were handed out together. */
const CodeAllocationSchema = defineEntity({
  name: 'CodeAllocation',
  tableName: 'code_allocation',
  uniques: [{ name: 'uq_code_allocation__tenant_key', properties: ['tenantId', 'idempotencyKey'] }],
  indexes: [{ name: 'ix_code_allocation__campaign', properties: ['tenantId', 'campaignId', 'id'] }],
  properties: {
    tenantId: tenantColumn().primary(),
    id: idColumn().primary(),
    campaignId: idColumn(),
    receiverType: p.enum(() => RECEIVER_TYPES).$type<ReceiverType>(),
    /** Id of the user, or name of the channel. */
    receiver: p.string().length(64),
    count: smallCountColumn(),
    /** As {@link keyDigest} makes it. */
    idempotencyKey: p.string().length(64).nullable(),
    argumentsDigest: p.character().length(64).nullable(),
    createdAt: instantColumn(),
  },
});
export class CodeAllocation extends CodeAllocationSchema.class {}
CodeAllocationSchema.setClass(CodeAllocation);

/** The primary key gives a code to one receiver only. */
const CodeAllocationItemSchema = defineEntity({
  name: 'CodeAllocationItem',
  tableName: 'code_allocation_item',
  indexes: [
    { name: 'ix_code_allocation_item__allocation', properties: ['tenantId', 'allocationId', 'codeId'] },
  ],
  properties: {
    tenantId: tenantColumn().primary(),
    codeId: idColumn().primary(),
    allocationId: idColumn(),
  },
});
export class CodeAllocationItem extends CodeAllocationItemSchema.class {}
CodeAllocationItemSchema.setClass(CodeAllocationItem);
