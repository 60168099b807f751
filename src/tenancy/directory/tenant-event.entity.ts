import { defineEntity, p } from '@mikro-orm/core';
import {
  countColumn,
  idColumn,
  instantColumn,
  smallCountColumn,
  tenantColumn,
} from '../../platform/database/columns.js';

/** An event of the directory that was met; its key is what makes a second delivery change nothing. */
const TenantEventSchema = defineEntity({
  name: 'TenantEvent',
  tableName: 'tenant_event',
  indexes: [{ name: 'ix_tenant_event__handled', properties: ['handledAt'] }],
  properties: {
    tenantId: tenantColumn().primary(),
    /** As the directory numbers its events. */
    eventId: p.string().length(64).primary(),
    version: countColumn(),
    handledAt: instantColumn(),
  },
});
export class TenantEvent extends TenantEventSchema.class {}
TenantEventSchema.setClass(TenantEvent);

export const TENANT_EVENT_FAULTS = ['EVENT_MALFORMED', 'EVENT_NOT_APPLIED'] as const;
export type TenantEventFault = (typeof TENANT_EVENT_FAULTS)[number];

/** An event that was given up. It may name no tenant, so it belongs to the installation. */
const TenantEventLetterSchema = defineEntity({
  name: 'TenantEventLetter',
  tableName: 'tenant_event_letter',
  uniques: [{ name: 'uq_tenant_event_letter__digest', properties: ['digest'] }],
  properties: {
    id: idColumn().primary().autoincrement(false),
    /** Of its place in the stream and its text: the same delivery twice makes one letter. */
    digest: p.string().length(43),
    /** The text of the event as it came. */
    event: p.text().columnType('mediumtext'),
    fault: p.enum(() => TENANT_EVENT_FAULTS).$type<TenantEventFault>(),
    /** What is wrong with it. */
    message: p.string().length(500),
    attempts: smallCountColumn(),
    since: instantColumn(),
  },
});
export class TenantEventLetter extends TenantEventLetterSchema.class {}
TenantEventLetterSchema.setClass(TenantEventLetter);
