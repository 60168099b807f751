import { defineEntity, p } from '@mikro-orm/core';
import { countColumn, idColumn, instantColumn, tenantColumn } from '../database/columns.js';

/** An event, written in the transaction that it tells of. Its id is what consumers drop duplicates by. */
const OutboxEventSchema = defineEntity({
  name: 'OutboxEvent',
  tableName: 'outbox_event',
  uniques: [{ name: 'uq_outbox_event__tenant_seq', properties: ['tenantId', 'seq'] }],
  properties: {
    tenantId: tenantColumn().primary(),
    id: idColumn().primary(),
    type: p.string().length(40),
    /** Whom it is for; null for events of the tenant. */
    userId: idColumn().nullable(),
    payload: p.json().$type<Record<string, unknown>>(),
    /** Given by the relay, without gaps per tenant and in the order of publication; null until then. */
    seq: countColumn().nullable(),
    createdAt: instantColumn(),
  },
});
export class OutboxEvent extends OutboxEventSchema.class {}
OutboxEventSchema.setClass(OutboxEvent);

/** How far the relay has come, a row a tenant. */
const OutboxCounterSchema = defineEntity({
  name: 'OutboxCounter',
  tableName: 'outbox_counter',
  properties: {
    tenantId: tenantColumn().primary(),
    /** The last sequence number given. */
    lastSeq: countColumn(),
    /** The last one handed to the subscribers; what lies between is published again after a crash. */
    publishedSeq: countColumn(),
  },
});
export class OutboxCounter extends OutboxCounterSchema.class {}
OutboxCounterSchema.setClass(OutboxCounter);
