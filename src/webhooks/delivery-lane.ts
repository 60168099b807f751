import type { Counter } from 'prom-client';
import { tenantEm } from '../platform/database/orm.js';
import type { MikroORM } from '@mikro-orm/core';
import type { Logger } from '../platform/observability/log.js';
import { isSet } from '../platform/assert.js';
import type { DeliveryAttempt, Attempted } from './delivery-attempt.js';
import type { DeliveryRows, DueWebhook, LeasedDelivery } from './delivery-rows.js';
import { nextAttemptAtMs } from './retry-pauses.js';
import type { WebhookHealth } from './webhook-health.js';
import { Webhook } from './webhook.entity.js';

/** Requests to one receiver at once; to one that fails, so that it holds few places while it hangs. */
const AT_ONCE = 4;
const AT_ONCE_FAILING = 1;
/** After it the lane makes way for other webhooks. */
const TURN_MS = 2000;

export interface LaneParts {
  readonly orm: MikroORM;
  readonly rows: DeliveryRows;
  readonly attempt: DeliveryAttempt;
  readonly health: WebhookHealth;
  readonly log: Logger;
  readonly deliveries: Counter<'outcome'>;
  /** From 0 to 1. */
  readonly chance: () => number;
}

/** Works for one webhook: takes deliveries that are due, and sends them a few at once. */
export class DeliveryLane {
  constructor(private readonly its: LaneParts) {}

  /** Until nothing is due, or others are to have their turn. */
  async run(due: Pick<DueWebhook, 'tenantId' | 'webhookId'>, signal: AbortSignal): Promise<void> {
    const { tenantId, webhookId } = due;
    const endMs = performance.now() + TURN_MS;
    do {
      const webhook = await tenantEm(this.its.orm, tenantId).findOne(
        Webhook,
        { id: webhookId },
        { disableIdentityMap: true },
      );
      if (webhook?.status !== 'ENABLED') return this.its.rows.drop(due);
      const leased = await this.its.rows.lease(
        webhook,
        isSet(webhook.failingSince) ? AT_ONCE_FAILING : AT_ONCE,
      );
      if (leased.length === 0) return;
      const outcomes = await Promise.all(leased.map(async (each) => this.deliver(webhook, each, signal)));
      await this.noteHealth(webhook, outcomes);
    } while (!signal.aborted && performance.now() < endMs);
  }

  /** @returns null where the attempt was broken off */
  private async deliver(
    webhook: Webhook,
    leased: LeasedDelivery,
    signal: AbortSignal,
  ): Promise<Attempted['outcome'] | null> {
    const { delivery } = leased;
    try {
      const nowMs = await this.its.rows.nowMs();
      const attempted = await this.its.attempt.run(webhook, delivery, nowMs, signal);
      await this.settle(leased, attempted);
      return attempted.outcome;
    } catch (error) {
      // The lease ends by itself, and the delivery is due again.
      if (!signal.aborted)
        this.its.log.warn({ err: error, webhookId: webhook.id }, 'a delivery was broken off, trying again');
      return null;
    }
  }

  private async settle(leased: LeasedDelivery, attempted: Attempted): Promise<void> {
    const { outcome, retryAfterMs, ...result } = attempted;
    const { attempts, queuedAt } = leased.delivery;
    if (outcome === 'DELIVERED') {
      await this.its.rows.delivered(leased, result);
      this.its.deliveries.inc({ outcome: 'DELIVERED' });
      return;
    }
    const nowMs = await this.its.rows.nowMs();
    const timing = { attempts, queuedAtMs: queuedAt.getTime(), nowMs, retryAfterMs };
    const atMs = outcome === 'RETRY' ? nextAttemptAtMs(timing, this.its.chance()) : null;
    await this.its.rows.failed(leased, result, atMs === null ? null : new Date(atMs));
    this.its.deliveries.inc({ outcome: atMs === null ? 'FAILED' : 'RETRIED' });
  }

  private async noteHealth(
    webhook: Webhook,
    outcomes: readonly (Attempted['outcome'] | null)[],
  ): Promise<void> {
    const nowMs = await this.its.rows.nowMs();
    if (outcomes.includes('GONE')) await this.its.health.disable(webhook, 'GONE', nowMs);
    else if (outcomes.includes('DELIVERED')) await this.its.health.succeeded(webhook);
    else if (outcomes.includes('RETRY')) await this.its.health.failed(webhook, nowMs);
  }
}
