import { defineEntity, p } from '@mikro-orm/core';
import {
  countColumn,
  idColumn,
  instantColumn,
  smallCountColumn,
  tenantColumn,
  versionColumn,
} from '../platform/database/columns.js';

export const WEBHOOK_STATUSES = ['ENABLED', 'DISABLED', 'DISABLED_BY_FAILURES'] as const;
export type WebhookStatus = (typeof WEBHOOK_STATUSES)[number];

/** Why the program has disabled a webhook. */
export const DISABLED_REASONS = ['FAILURES', 'GONE'] as const;
export type DisabledReason = (typeof DISABLED_REASONS)[number];

export const DELIVERY_STATUSES = ['PENDING', 'DELIVERED', 'FAILED'] as const;
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

export const URL_LENGTH_MAX = 1000;
/** Characters of a response that are kept. */
export const RESPONSE_KEPT = 500;
const SEALED_LENGTH_MAX = 255;

/** A receiver of a tenant's events. */
const WebhookSchema = defineEntity({
  name: 'Webhook',
  tableName: 'webhook',
  properties: {
    tenantId: tenantColumn().primary(),
    id: idColumn().primary(),
    url: p.string().length(URL_LENGTH_MAX),
    /** Empty means all types. */
    eventTypes: p.json().$type<string[]>(),
    status: p.enum(() => WEBHOOK_STATUSES).$type<WebhookStatus>(),
    disabledReason: p
      .enum(() => DISABLED_REASONS)
      .$type<DisabledReason>()
      .nullable(),
    /** As {@link WebhookSecrets} seals it. */
    secret: p.blob().columnType(`varbinary(${SEALED_LENGTH_MAX})`),
    previousSecret: p.blob().columnType(`varbinary(${SEALED_LENGTH_MAX})`).nullable(),
    /** From then on the present secret alone signs. */
    previousSecretUntil: instantColumn().nullable(),
    /** Events up to this one are older than the webhook, or than its last enabling. */
    afterSeq: countColumn(),
    /** The first failure since the last success. */
    failingSince: instantColumn().nullable(),
    /** A replay is under way: the events behind the first up to the second are yet to be queued again. */
    replayAfterSeq: countColumn().nullable(),
    replayUpToSeq: countColumn().nullable(),
    version: versionColumn(),
    createdAt: instantColumn(),
    updatedAt: instantColumn(),
  },
});
export class Webhook extends WebhookSchema.class {}
WebhookSchema.setClass(Webhook);

/** One event for one webhook. */
const WebhookDeliverySchema = defineEntity({
  name: 'WebhookDelivery',
  tableName: 'webhook_delivery',
  uniques: [{ name: 'uq_webhook_delivery__webhook_seq', properties: ['tenantId', 'webhookId', 'seq'] }],
  indexes: [
    {
      name: 'ix_webhook_delivery__due',
      properties: ['status', 'tenantId', 'webhookId', 'nextAttemptAt'],
    },
    { name: 'ix_webhook_delivery__webhook', properties: ['tenantId', 'webhookId', 'id'] },
    { name: 'ix_webhook_delivery__status', properties: ['tenantId', 'status', 'id'] },
    {
      name: 'ix_webhook_delivery__webhook_status',
      properties: ['tenantId', 'webhookId', 'status', 'id'],
    },
    { name: 'ix_webhook_delivery__queued', properties: ['queuedAt'] },
  ],
  properties: {
    tenantId: tenantColumn().primary(),
    id: idColumn().primary(),
    webhookId: idColumn(),
    /** Of the event; with the tenant it is the id by which receivers know duplicates. */
    seq: countColumn(),
    eventType: p.string().length(40),
    status: p.enum(() => DELIVERY_STATUSES).$type<DeliveryStatus>(),
    attempts: smallCountColumn(),
    /** Of the last attempt; null where it got no response. */
    responseStatus: smallCountColumn().nullable(),
    responseText: p.string().length(RESPONSE_KEPT).nullable(),
    failure: p.string().length(32).nullable(),
    /** When the time for attempts began: at the event, or when it was replayed. */
    queuedAt: instantColumn(),
    attemptedAt: instantColumn().nullable(),
    /** While an attempt is under way, the end of its lease. Null when no attempt follows. */
    nextAttemptAt: instantColumn().nullable(),
  },
});
export class WebhookDelivery extends WebhookDeliverySchema.class {}
WebhookDeliverySchema.setClass(WebhookDelivery);
