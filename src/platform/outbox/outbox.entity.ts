import { defineEntity, p } from '@mikro-orm/core';
import { countColumn, idColumn, instantColumn, tenantColumn } from '../database/columns.js';

/** An event, written once by the transaction that it tells of, and never updated. */
const OutboxEventSchema = defineEntity({
  name: 'OutboxEvent',
  tableName: 'outbox_event',
  indexes: [{ name: 'ix_outbox_event__tenant_subject', properties: ['tenantId', 'subjectId'] }],
  properties: {
    tenantId: tenantColumn().primary(),
    /** From 1, without gaps, in the order of the commits. */
    seq: countColumn().primary(),
    type: p.string().length(40),
    /** Whom it is for; null for events of the tenant. */
    userId: idColumn().nullable(),
    /** The row that it tells of, where events are looked for by it. */
    subjectId: idColumn().nullable(),
    payload: p.json().$type<Record<string, unknown>>(),
    createdAt: instantColumn(),
  },
});
export class OutboxEvent extends OutboxEventSchema.class {}
OutboxEventSchema.setClass(OutboxEvent);

/** The last number of a tenant. Locked by who writes events, from then until the commit. */
const OutboxCounterSchema = defineEntity({
  name: 'OutboxCounter',
  tableName: 'outbox_counter',
  properties: { tenantId: tenantColumn().primary(), lastSeq: countColumn() },
});
export class OutboxCounter extends OutboxCounterSchema.class {}
OutboxCounterSchema.setClass(OutboxCounter);

/** How far a consumer has come with the events of a tenant. */
const ConsumerCursorSchema = defineEntity({
  name: 'ConsumerCursor',
  tableName: 'event_consumer',
  properties: {
    tenantId: tenantColumn().primary(),
    consumer: p.string().length(40).primary(),
    /** It has handled all events up to this one. */
    seq: countColumn(),
  },
});
export class ConsumerCursor extends ConsumerCursorSchema.class {}
ConsumerCursorSchema.setClass(ConsumerCursor);
