import type { OutboxDraft } from '../platform/outbox/outbox.js';
import type { PublishedEvent } from '../platform/outbox/published-event.js';
import type { DisabledReason, Webhook } from './webhook.entity.js';

/** An event as receivers get it. */
export interface OfferedEvent {
  /** Of the outbox. */
  readonly source: string;
  /** Of the payload's fields, those that receivers get. All are ids, states and amounts: never a code or its digest. */
  readonly fields: readonly string[];
}

const ORDER = ['orderNo', 'type', 'status', 'closeReason', 'coupons', 'points'];

/** By public name; events that are not listed here are never sent. */
export const OFFERED_EVENTS: Readonly<Record<string, OfferedEvent>> = {
  'redemption.settled': {
    source: 'redemption_settled',
    fields: ['redemptionId', 'status', 'orderNo', 'codeId', 'campaignId', 'useNo', 'refusal', 'rewards'],
  },
  'redemption.reversed': {
    source: 'redemption_reversed',
    fields: ['redemptionId', 'orderNo', 'codeId', 'campaignId', 'useReturned', 'rewards'],
  },
  'order.paid': { source: 'order_paid', fields: ['orderNo', 'type', 'amount', 'currency'] },
  'order.closed': { source: 'order_closed', fields: ORDER },
  'order.refunded': { source: 'order_refunded', fields: ['orderNo', 'amount', 'currency', 'isWhole'] },
  'payment.refunded': {
    source: 'payment_refunded',
    fields: ['orderNo', 'paymentId', 'amount', 'currency'],
  },
  'transfer.made': {
    source: 'transfer_made',
    fields: [
      'transferId',
      'orderId',
      'fromUserId',
      'toUserId',
      'facilityId',
      'currency',
      'amount',
      'fee',
      'net',
      'day',
    ],
  },
  'subscription.changed': { source: 'subscription_invalidated', fields: ['subscriptionId', 'planId'] },
  'campaign.changed': { source: 'campaign_changed', fields: ['campaignId', 'status', 'version'] },
  'batch.finished': { source: 'codes_generated', fields: ['batchId', 'campaignId', 'count'] },
  'batch.changed': {
    source: 'batch_changed',
    fields: ['batchId', 'campaignId', 'frozen', 'voided', 'awaitsActivation', 'extendedTo', 'version'],
  },
  'audit.anchored': { source: 'audit_anchored', fields: ['entryId', 'digest'] },
  'webhook.test': { source: 'webhook_test', fields: ['webhookId'] },
  'webhook.disabled': { source: 'webhook_disabled', fields: ['webhookId', 'reason'] },
};

const TEST = 'webhook.test';
const BY_SOURCE = new Map(Object.entries(OFFERED_EVENTS).map(([name, { source }]) => [source, name]));

export const OFFERED_SOURCES: readonly string[] = [...BY_SOURCE.keys()];

/** The public name of an event; null for what is not offered. */
function offeredTypeOf({ type }: Pick<PublishedEvent, 'type'>): string | null {
  return BY_SOURCE.get(type) ?? null;
}

/** The name under which a webhook gets an event; null for one that it does not get. A test is for one webhook alone. */
export function nameFor(
  { id, eventTypes }: Pick<Webhook, 'id' | 'eventTypes'>,
  event: Pick<PublishedEvent, 'type' | 'payload'>,
): string | null {
  const name = offeredTypeOf(event);
  if (name === null) return null;
  const isWanted =
    name === TEST ? event.payload['webhookId'] === id : eventTypes.length === 0 || eventTypes.includes(name);
  return isWanted ? name : null;
}

/** By it receivers know duplicates; the same as the `eventId` of GraphQL's subscriptions. */
export function messageIdOf({ tenantId, seq }: Pick<PublishedEvent, 'tenantId' | 'seq'>): string {
  return `${tenantId}-${seq}`;
}

/** The text that is signed and sent; equal for each attempt. */
export function messageBodyOf(event: Omit<PublishedEvent, 'tenantId'>): string {
  const name = offeredTypeOf(event) ?? event.type;
  const { fields = [] } = OFFERED_EVENTS[name] ?? {};
  const { userId, payload } = event;
  const data = Object.fromEntries(fields.map((field) => [field, payload[field] ?? null]));
  return JSON.stringify({
    type: name,
    timestamp: event.createdAt.toISOString(),
    cursor: String(event.seq),
    data: { ...data, userId },
  });
}

/** A test that staff send to a webhook. */
export function webhookTest({ id }: Pick<Webhook, 'id'>): OutboxDraft {
  return { type: 'webhook_test', userId: null, subjectId: id, payload: { webhookId: id } };
}

/** The notice that the program has disabled a webhook. */
export function webhookDisabled({ id }: Pick<Webhook, 'id'>, reason: DisabledReason): OutboxDraft {
  return { type: 'webhook_disabled', userId: null, subjectId: id, payload: { webhookId: id, reason } };
}
