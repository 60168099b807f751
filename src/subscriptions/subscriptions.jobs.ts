import { LockMode, type QueryResult } from '@mikro-orm/core';
import { invariant } from '../platform/assert.js';
import type { Clock } from '../platform/clock.js';
import type { Logger } from '../platform/log.js';
import type { Em } from '../platform/orm/orm.js';
import { ACROSS_TENANTS } from '../platform/orm/tenant-filter.js';
import type { Transactions } from '../platform/orm/transaction.js';
import type { Outbox } from '../platform/outbox/outbox.js';
import type { SubscriptionCache } from './subscription-cache.redis.js';
import { SUBSCRIPTION_INVALIDATED } from './subscription-reward.session.js';
import { Subscription } from './subscription.entity.js';

const BATCH = 500;
/** What one run takes at most; the next one goes on from there. */
const BATCHES_MAX = 40;

type Ended = Pick<Subscription, 'tenantId' | 'id' | 'userId' | 'planId'>;

export interface SubscriptionJobParts {
  readonly transactions: Transactions;
  readonly cache: SubscriptionCache;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly log: Logger;
}

export class SubscriptionJobs {
  constructor(private readonly parts: SubscriptionJobParts) {}

  /**
   * Moves subscriptions past their end to EXPIRED and used-up ones to FINISHED, of all tenants. Any number of
   * workers may run it at once: what one has locked, the others leave out.
   *
   * @returns how many were moved
   */
  async sweepSubscriptions(): Promise<number> {
    let moved = 0;
    for (let batch = 0; batch < BATCHES_MAX; batch += 1) {
      const ended = await this.parts.transactions.run(null, (em) => this.endBatch(em));
      moved += ended.length;
      await this.dropCached(ended);
      if (ended.length < BATCH) break;
    }
    return moved;
  }

  private async endBatch(em: Em): Promise<Ended[]> {
    const now = new Date(this.parts.clock.nowMs());
    const ended = await em.find(
      Subscription,
      { dueAt: { $lte: now } },
      {
        ...ACROSS_TENANTS,
        fields: ['tenantId', 'id', 'userId', 'planId'],
        orderBy: { dueAt: 'asc' },
        indexHint: 'force index (ix_subscription__due)',
        limit: BATCH,
        lockMode: LockMode.PESSIMISTIC_PARTIAL_WRITE,
        disableIdentityMap: true,
      },
    );
    for (const [tenantId, rows] of byTenant(ended)) {
      await endRows(em, tenantId, rows, now);
      const drafts = rows.map(({ id, userId, planId }) => ({
        type: SUBSCRIPTION_INVALIDATED,
        userId,
        payload: { subscriptionId: id, planId },
      }));
      await this.parts.outbox.append(em, tenantId, drafts);
    }
    return ended;
  }

  private async dropCached(ended: readonly Ended[]): Promise<void> {
    for (const [tenantId, rows] of byTenant(ended)) {
      try {
        await this.parts.cache.drop(tenantId, [...new Set(rows.map((row) => row.userId))]);
      } catch (error) {
        // Harmless here: what is read from a cache shows its end as of now.
        this.parts.log.warn({ err: error, tenantId }, 'Cached subscriptions could not be dropped.');
      }
    }
  }
}

/** Raw for the forced index: a scan would wait for the rows that others have locked, which were left out on purpose. */
async function endRows(em: Em, tenantId: string, rows: readonly Ended[], now: Date): Promise<void> {
  const { affectedRows } = await em.execute<QueryResult>(
    `update subscription force index (primary)
        set status = case when expires_at <= ? then 'EXPIRED' else 'FINISHED' end, updated_at = ?
      where tenant_id = ? and id in (?) and status = 'ACTIVE'`,
    [now, now, tenantId, rows.map(({ id }) => id)],
    'run',
  );
  invariant(affectedRows === rows.length, 'A locked subscription was not there to be ended.');
}

function byTenant(ended: readonly Ended[]): Map<string, Ended[]> {
  return Map.groupBy(ended, (row) => row.tenantId);
}
