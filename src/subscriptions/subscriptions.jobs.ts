import { LockMode, type QueryResult } from '@mikro-orm/core';
import { invariant } from '../platform/assert.js';
import { eachOf } from '../platform/scheduling/each-of.js';
import { StoreUnavailableError } from '../platform/errors.js';
import type { Id } from '../platform/ids.js';
import type { Em } from '../platform/database/orm.js';
import { isServerAway } from '../platform/database/sql-errors.js';
import type { PlatformServices } from '../platform/platform-services.js';
import type { SubscriptionCache } from './subscription-cache.redis.js';
import { subscriptionInvalidated } from './subscription-events.js';
import { Subscription } from './subscription.entity.js';

const BATCH = 500;
/** The most that one run takes; the next one continues from there. */
const BATCHES_MAX = 40;
const TENANTS_AT_ONCE = 4;

type Ended = Pick<Subscription, 'id' | 'userId' | 'planId'>;
type Due = Pick<Subscription, 'tenantId' | 'id'> & { readonly dueAt: string };

export interface SubscriptionJobParts extends Pick<
  PlatformServices,
  'clock' | 'transactions' | 'outbox' | 'log'
> {
  readonly cache: SubscriptionCache;
}

export class SubscriptionJobs {
  constructor(private readonly parts: SubscriptionJobParts) {}

  /**
   * Moves subscriptions past their end to EXPIRED and used-up ones to FINISHED, of all tenants. Any number of
   * workers may run it at once: what one has locked, the others leave out. Each tenant has a transaction of its own,
   * so that one whose sweep fails or waits does not delay the others.
   *
   * @returns how many were moved
   * @throws StoreUnavailableError when the database does not answer
   */
  async sweepSubscriptions(): Promise<number> {
    const failed = new Set<string>();
    let moved = 0;
    let fromDueAt = '1000-01-01';
    for (let batch = 0; batch < BATCHES_MAX; batch += 1) {
      const due = await this.due(failed, fromDueAt);
      fromDueAt = due.at(-1)?.dueAt ?? fromDueAt;
      const [movedBefore, failedBefore] = [moved, failed.size];
      await eachOf(
        Map.groupBy(due, ({ tenantId }) => tenantId),
        TENANTS_AT_ONCE,
        async ([tenantId, rows]) => {
          try {
            const ids = rows.map(({ id }) => id);
            // Added when all of it is known: several tenants are under way.
            const ended = await this.endOf(tenantId, ids);
            moved += ended;
          } catch (error) {
            if (isServerAway(error)) throw new StoreUnavailableError('database', { cause: error });
            failed.add(tenantId);
            this.parts.log.error({ err: error, tenantId }, 'subscriptions past their end stay as they are');
          }
        },
      );
      // Where none was moved and no tenant failed, other workers are at them.
      const isProgress = moved > movedBefore || failed.size > failedBefore;
      if (due.length < BATCH || !isProgress) break;
    }
    return moved;
  }

  /** Those that ended first, from an instant on, without the tenants whose turn has failed: those are passed once. */
  private async due(failed: ReadonlySet<string>, fromDueAt: string): Promise<Due[]> {
    const now = new Date(this.parts.clock.nowMs());
    return this.parts.transactions.run(null, async (em) =>
      em.execute(
        `select tenant_id as tenantId, cast(id as char) as id, cast(due_at as char) as dueAt from subscription force index (ix_subscription__due)
          where due_at >= ? and due_at <= ? and tenant_id not in (?) order by due_at limit ${BATCH}`,
        [fromDueAt, now, ['', ...failed]],
      ),
    );
  }

  private async endOf(tenantId: string, ids: readonly Id[]): Promise<number> {
    const ended = await this.parts.transactions.run(tenantId, async (em) =>
      this.endLocked(em, tenantId, ids),
    );
    await this.dropCached(tenantId, ended);
    return ended.length;
  }

  private async endLocked(em: Em, tenantId: string, ids: readonly Id[]): Promise<Ended[]> {
    const now = new Date(this.parts.clock.nowMs());
    const ended = await em.find(
      Subscription,
      { id: { $in: [...ids] }, dueAt: { $lte: now } },
      {
        fields: ['id', 'userId', 'planId'],
        orderBy: { id: 'asc' },
        indexHint: 'force index (primary)',
        lockMode: LockMode.PESSIMISTIC_PARTIAL_WRITE,
        disableIdentityMap: true,
      },
    );
    if (ended.length === 0) return [];
    await endRows(em, tenantId, ended, now);
    this.parts.outbox.append(em, tenantId, ended.map(subscriptionInvalidated));
    return ended;
  }

  private async dropCached(tenantId: string, ended: readonly Ended[]): Promise<void> {
    if (ended.length === 0) return;
    try {
      await this.parts.cache.drop(tenantId, ended);
    } catch (error) {
      // Harmless here: what is read from a cache shows its end as of now.
      this.parts.log.warn({ err: error, tenantId }, 'Cached subscriptions could not be dropped.');
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
