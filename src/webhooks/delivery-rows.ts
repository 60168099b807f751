import { LockMode, type MikroORM } from '@mikro-orm/core';
import { databaseNowMs } from '../platform/database/database-clock.js';
import { systemEm, tenantEm } from '../platform/database/orm.js';
import type { Transactions } from '../platform/database/transaction.js';
import type { Id } from '../platform/ids.js';
import { present } from '../platform/assert.js';
import { Webhook, WebhookDelivery } from './webhook.entity.js';

/** Webhooks that one look finds; it reads the index once for each, however many deliveries of one are due. */
const DUE_MAX = 1000;
const DROPPED_AT_ONCE = 1000;

const FIND_DUE = `select d.tenantId, cast(d.webhookId as char) as webhookId,
    timestampdiff(microsecond, d.dueAt, utc_timestamp(3)) / 1000 as overdueMs, w.failing_since is not null as isFailing
  from (select tenant_id as tenantId, webhook_id as webhookId, min(next_attempt_at) as dueAt
          from webhook_delivery force index (ix_webhook_delivery__due)
         where status = 'PENDING' group by status, tenant_id, webhook_id) d
  left join webhook w on w.tenant_id = d.tenantId and w.id = d.webhookId
 where d.dueAt <= utc_timestamp(3) order by d.dueAt limit ${DUE_MAX}`;

/** A webhook with deliveries that are due. */
export interface DueWebhook {
  readonly tenantId: string;
  readonly webhookId: Id;
  /** How long the oldest one has waited. */
  readonly overdueMs: number;
  readonly isFailing: boolean;
}

/** A delivery that this process alone attempts until the lease ends. */
export interface LeasedDelivery {
  readonly delivery: WebhookDelivery;
  readonly leaseUntil: Date;
}

export interface AttemptResult {
  readonly responseStatus: number | null;
  readonly responseText: string | null;
  /** Null where the event was delivered. */
  readonly failure: string | null;
}

/**
 * The deliveries in the database. Conditional updates decide who attempts one, and whose result counts. Two workers that
 * change one may deadlock over its indexes, so each change is a transaction, which runs again.
 */
export class DeliveryRows {
  /** @param leaseMs longer than any attempt; after it the delivery of a process that died is attempted by another */
  constructor(
    private readonly orm: MikroORM,
    private readonly transactions: Transactions,
    private readonly leaseMs: number,
  ) {}

  async nowMs(): Promise<number> {
    return databaseNowMs(systemEm(this.orm));
  }

  async due(): Promise<DueWebhook[]> {
    type Row = Omit<DueWebhook, 'isFailing' | 'overdueMs'> & {
      isFailing: number;
      overdueMs: string | number;
    };
    const rows = await systemEm(this.orm).execute<Row[]>(FIND_DUE);
    return rows.map((row) => ({
      ...row,
      overdueMs: Number(row.overdueMs),
      isFailing: row.isFailing === 1,
    }));
  }

  /** Takes the oldest deliveries that are due. Those that another process takes at the same moment are left out. */
  async lease(
    { tenantId, id: webhookId }: Pick<Webhook, 'tenantId' | 'id'>,
    max: number,
  ): Promise<LeasedDelivery[]> {
    const em = tenantEm(this.orm, tenantId);
    const nowMs = await databaseNowMs(em);
    const attemptedAt = new Date(nowMs);
    const leaseUntil = new Date(nowMs + this.leaseMs);
    const found = await em.find(
      WebhookDelivery,
      { status: 'PENDING', webhookId, nextAttemptAt: { $lte: attemptedAt } },
      {
        // Others have the deliveries of a webhook, too, and would have to sort all that wait.
        indexHint: 'force index (ix_webhook_delivery__due)',
        orderBy: { nextAttemptAt: 'asc' },
        limit: max,
        disableIdentityMap: true,
      },
    );
    const leased: LeasedDelivery[] = [];
    for (const delivery of found) {
      const seen = present(delivery.nextAttemptAt, 'The time of an attempt that is due');
      const attempts = delivery.attempts + 1;
      const taken = await this.change(
        delivery,
        { status: 'PENDING', nextAttemptAt: seen },
        { nextAttemptAt: leaseUntil, attemptedAt, attempts },
      );
      if (taken === 1)
        leased.push({ delivery: Object.assign(delivery, { attempts, attemptedAt }), leaseUntil });
    }
    return leased;
  }

  /** Completes a delivery, also one that another worker has leased by now; one that was replayed meanwhile is sent once more. */
  async delivered({ delivery }: LeasedDelivery, result: AttemptResult): Promise<void> {
    await this.change(
      delivery,
      { status: 'PENDING', queuedAt: delivery.queuedAt },
      { ...result, status: 'DELIVERED', nextAttemptAt: null },
    );
  }

  /** A failure counts where the lease is still held: afterwards another attempt, or a replay, is under way. */
  async failed(
    { delivery, leaseUntil }: LeasedDelivery,
    result: AttemptResult,
    nextAttemptAt: Date | null,
  ): Promise<void> {
    await this.change(
      delivery,
      { status: 'PENDING', nextAttemptAt: leaseUntil },
      { ...result, status: nextAttemptAt === null ? 'FAILED' : 'PENDING', nextAttemptAt },
    );
  }

  /**
   * Gives up what waits for a webhook that is disabled or deleted, some at a time. Under the lock of its row: one that was
   * enabled meanwhile may have new deliveries, and keeps them.
   */
  async drop({ tenantId, webhookId }: Pick<DueWebhook, 'tenantId' | 'webhookId'>): Promise<void> {
    await this.transactions.run(tenantId, async (em) => {
      const lock = { lockMode: LockMode.PESSIMISTIC_WRITE, disableIdentityMap: true } as const;
      const webhook = await em.findOne(Webhook, { id: webhookId }, lock);
      if (webhook?.status === 'ENABLED') return;
      await em.execute(
        `update webhook_delivery set status = 'FAILED', failure = 'WEBHOOK_DISABLED', next_attempt_at = null
          where status = 'PENDING' and tenant_id = ? and webhook_id = ? limit ${DROPPED_AT_ONCE}`,
        [tenantId, webhookId],
      );
    });
  }

  private async change(
    { tenantId, id }: WebhookDelivery,
    where: Partial<WebhookDelivery>,
    values: Partial<WebhookDelivery>,
  ): Promise<number> {
    return this.transactions.run(tenantId, async (em) =>
      em.nativeUpdate(WebhookDelivery, { id, ...where }, values),
    );
  }
}
