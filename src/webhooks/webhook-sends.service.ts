import { LockMode, type QueryResult } from '@mikro-orm/core';
import { isSet } from '../platform/assert.js';
import type { Em } from '../platform/database/orm.js';
import { DomainError } from '../platform/errors.js';
import { isId, type Id } from '../platform/ids.js';
import { OutboxEvent } from '../platform/outbox/outbox.entity.js';
import type { PlatformServices } from '../platform/platform-services.js';
import { operationChanges, operationIsAbout } from '../platform/recording/recording-em.js';
import { webhookTest } from './offered-events.js';
import { Webhook, WebhookDelivery } from './webhook.entity.js';
import { webhookNotFound, type WebhookRefusal } from './webhook.errors.js';

interface SendParts extends Pick<PlatformServices, 'transactions' | 'outbox'> {
  /** There is something to send. */
  readonly wake: () => void;
}

type Field = 'webhookId' | 'deliveryId';

/** No lease is longer, whatever time another process gives a request. */
const LEASE_S_MAX = 70;

/** What staff have sent by hand: a test of a webhook, and one delivery once more. */
export class WebhookSendService {
  constructor(private readonly its: SendParts) {}

  /**
   * Commits an event for this webhook alone, whatever types it wants. It goes the way of all events.
   * @throws DomainError one of `SEND_TEST_EVENT_REFUSALS`
   */
  async test(tenantId: string, webhookId: Id): Promise<Webhook> {
    if (!isId(webhookId)) throw webhookNotFound();
    return this.its.transactions.run(tenantId, async (em) => {
      const webhook = await enabled(em, webhookId, 'webhookId');
      operationIsAbout(em, { type: 'webhook', id: webhookId });
      this.its.outbox.append(em, tenantId, [webhookTest(webhook)]);
      return webhook;
    });
  }

  /**
   * Sends an event once more, with the same id. The row decides: of several calls at once one succeeds, and none while
   * an attempt is under way. One that waits for its next attempt is attempted at once.
   * @throws DomainError one of `RESEND_WEBHOOK_DELIVERY_REFUSALS`
   */
  async resend(tenantId: string, deliveryId: Id): Promise<WebhookDelivery> {
    if (!isId(deliveryId)) throw deliveryNotFound();
    const queued = await this.its.transactions.run(tenantId, async (em) => {
      const read = async () => em.findOne(WebhookDelivery, { id: deliveryId }, { disableIdentityMap: true });
      const found = await read();
      if (found === null) throw deliveryNotFound();
      await enabled(em, found.webhookId, 'deliveryId');
      if ((await em.count(OutboxEvent, { seq: found.seq })) === 0) throw eventExpired();
      await operationChanges(em, WebhookDelivery, { id: deliveryId });
      const { affectedRows } = await em.execute<QueryResult>(SEND_AGAIN, [tenantId, deliveryId], 'run');
      if (affectedRows === 0) throw underWay();
      return (await read()) ?? found;
    });
    this.its.wake();
    return queued;
  }
}

/** Of those that wait, it takes only one whose next attempt is later than the end of any lease. */
const SEND_AGAIN = `update webhook_delivery set status = 'PENDING', attempts = 0, failure = null,
    queued_at = utc_timestamp(3), next_attempt_at = utc_timestamp(3)
  where tenant_id = ? and id = ? and (status <> 'PENDING' or (next_attempt_at > utc_timestamp(3)
    and next_attempt_at > attempted_at + interval ${LEASE_S_MAX} second))`;

/**
 * Under the row's lock: one that is disabled gives up what waits for it.
 * @param field of the input that led to the webhook
 */
async function enabled(em: Em, webhookId: Id, field: Field): Promise<Webhook> {
  const lock = { lockMode: LockMode.PESSIMISTIC_WRITE, disableIdentityMap: true } as const;
  const webhook = await em.findOne(Webhook, { id: webhookId }, lock);
  if (!isSet(webhook)) throw webhookNotFound(field);
  if (webhook.status === 'ENABLED') return webhook;
  throw refusal('WEBHOOK_DISABLED', 'The webhook is disabled. Enable it first.', field);
}

const deliveryNotFound = () =>
  refusal('DELIVERY_NOT_FOUND', 'The tenant has no delivery with this id, or it is too old.');
const eventExpired = () => refusal('EVENT_EXPIRED', 'The event was deleted, so there is nothing to send.');
const underWay = () =>
  refusal('DELIVERY_UNDER_WAY', 'An attempt is under way, or follows within a minute. Look again then.');

function refusal(
  code: WebhookRefusal,
  message: string,
  field: Field = 'deliveryId',
): DomainError<WebhookRefusal> {
  return new DomainError(code, message, { field: ['input', field] });
}
