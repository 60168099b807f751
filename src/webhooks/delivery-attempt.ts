import type { MikroORM } from '@mikro-orm/core';
import { tenantEm } from '../platform/database/orm.js';
import { OutboxEvent } from '../platform/outbox/outbox.entity.js';
import { OutgoingError } from '../platform/outgoing/outgoing.errors.js';
import type { OutgoingHttp, OutgoingResponse } from '../platform/outgoing/outgoing-http.js';
import type { AttemptResult } from './delivery-rows.js';
import { messageBodyOf, messageIdOf } from './offered-events.js';
import type { WebhookSecrets } from './webhook-secrets.js';
import { signedHeaders } from './webhook-signature.js';
import { RESPONSE_KEPT, type Webhook, type WebhookDelivery } from './webhook.entity.js';

/** A character has four bytes at most. */
const RESPONSE_BYTES_MAX = RESPONSE_KEPT * 4;
const GONE = 410;

export interface Attempted extends AttemptResult {
  /** DELIVERED; RETRY; GONE, where the receiver wants no more; LOST, where there is nothing to send any more. */
  readonly outcome: 'DELIVERED' | 'RETRY' | 'GONE' | 'LOST';
  readonly retryAfterMs: number;
}

interface AttemptParts {
  readonly orm: MikroORM;
  readonly outgoing: Pick<OutgoingHttp, 'send'>;
  readonly secrets: WebhookSecrets;
  readonly timeoutMs: number;
}

/** Sends one event to one webhook, once. */
export class DeliveryAttempt {
  constructor(private readonly its: AttemptParts) {}

  /** @throws the reason of the signal */
  async run(
    webhook: Webhook,
    { tenantId, seq }: Pick<WebhookDelivery, 'tenantId' | 'seq'>,
    nowMs: number,
    signal: AbortSignal,
  ): Promise<Attempted> {
    const event = await tenantEm(this.its.orm, tenantId).findOne(
      OutboxEvent,
      { seq },
      { disableIdentityMap: true },
    );
    if (event === null) return { ...NO_RESPONSE, outcome: 'LOST', failure: 'EVENT_EXPIRED' };
    const secrets = this.its.secrets.valid(webhook, nowMs);
    if (secrets === null) return { ...NO_RESPONSE, outcome: 'RETRY', failure: 'SECRET_UNREADABLE' };
    const message = {
      id: messageIdOf({ tenantId, seq }),
      timestampS: Math.floor(nowMs / 1000),
      body: messageBodyOf({ ...event, userId: event.userId ?? null }),
    };
    try {
      return read(
        await this.its.outgoing.send({
          url: webhook.url,
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            'user-agent': 'Redeemkit-Webhooks/1',
            ...signedHeaders(message, secrets),
          },
          body: message.body,
          timeoutMs: this.its.timeoutMs,
          responseBytesMax: RESPONSE_BYTES_MAX,
          longResponse: 'CUT',
          signal,
        }),
      );
    } catch (error) {
      if (!(error instanceof OutgoingError)) throw error;
      return { ...NO_RESPONSE, outcome: 'RETRY', failure: error.failure };
    }
  }
}

const NO_RESPONSE = { responseStatus: null, responseText: null, retryAfterMs: 0 };

function read({ status, headers, body }: OutgoingResponse): Attempted {
  const isDelivered = status >= 200 && status < 300;
  return {
    outcome: isDelivered ? 'DELIVERED' : status === GONE ? 'GONE' : 'RETRY',
    responseStatus: status,
    responseText: textOf(body),
    failure: isDelivered ? null : 'RESPONSE_STATUS',
    retryAfterMs: retryAfterMsOf(headers['retry-after']),
  };
}

/** What people can read of a response, which may be anything. */
function textOf(body: Buffer): string {
  const text = body.toString().replaceAll(/[^\P{C}\n]/gu, '\u{FFFD}');
  return [...text].slice(0, RESPONSE_KEPT).join('');
}

/** Seconds; a date is not heeded. */
function retryAfterMsOf(header: string | string[] | undefined): number {
  return typeof header === 'string' && /^\d{1,6}$/.test(header) ? Number(header) * 1000 : 0;
}
