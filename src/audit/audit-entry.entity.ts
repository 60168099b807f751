import { defineEntity, p } from '@mikro-orm/core';
import { countColumn, idColumn, instantColumn, tenantColumn } from '../platform/database/columns.js';
import { frozenRows } from '../platform/database/frozen-rows.js';
import { OPERATION_KINDS } from '../platform/recording/current-operation.js';

export const AUDIT_ACTOR_KINDS = OPERATION_KINDS;
export type AuditActorKind = (typeof AUDIT_ACTOR_KINDS)[number];

const digestColumn = () => p.string().length(43);

/** What one transaction of an operation has changed. Written by that transaction, and never changed. */
const AuditEntrySchema = defineEntity({
  name: 'AuditEntry',
  tableName: 'audit_entry',
  triggers: [frozenRows('audit_entry', '')],
  indexes: [
    { name: 'ix_audit_entry__actor', properties: ['tenantId', 'actorId', 'id'] },
    { name: 'ix_audit_entry__operation', properties: ['tenantId', 'operation', 'id'] },
    { name: 'ix_audit_entry__target', properties: ['tenantId', 'targetId', 'targetType', 'id'] },
    { name: 'ix_audit_entry__created', properties: ['tenantId', 'createdAt'] },
  ],
  properties: {
    tenantId: tenantColumn().primary(),
    /** Its number in the tenant's chain: from 1, without gaps, in the order of the commits. */
    id: idColumn().fieldName('seq').primary(),
    createdAt: instantColumn(),
    operation: p.string().length(80),
    actorKind: p.enum(() => AUDIT_ACTOR_KINDS).$type<AuditActorKind>(),
    /** The member of staff, the partner, or `user@host` of the command line. */
    actorId: p.string().length(128),
    actorRole: p.string().length(16).nullable(),
    /** The session or the API key. */
    credentialId: p.string().length(24).nullable(),
    ip: p.string().length(45).nullable(),
    requestId: p.string().length(64).nullable(),
    targetType: p.string().length(40),
    targetId: p.string().length(128),
    /** JSON of {@link AuditDetails}, as text: its bytes are part of the digest. */
    details: p.text().columnType('mediumtext'),
    /** The digest of the entry before; of the first one empty. */
    previous: digestColumn(),
    digest: digestColumn(),
  },
});
export class AuditEntry extends AuditEntrySchema.class {}
AuditEntrySchema.setClass(AuditEntry);

/** The end of a tenant's chain. Locked by who appends to it, from then until the commit. */
const AuditHeadSchema = defineEntity({
  name: 'AuditHead',
  tableName: 'audit_head',
  properties: {
    tenantId: tenantColumn().primary(),
    lastSeq: countColumn(),
    digest: digestColumn(),
    /** The last entry whose digest stands in the event log. */
    anchoredSeq: countColumn(),
    anchoredAt: instantColumn().nullable(),
  },
});
export class AuditHead extends AuditHeadSchema.class {}
AuditHeadSchema.setClass(AuditHead);
