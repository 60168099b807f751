import { StoreUnavailableError } from '../platform/errors.js';
import type { Id } from '../platform/ids.js';
import { isServerAway } from '../platform/database/sql-errors.js';
import type { Em } from '../platform/database/orm.js';
import type { PlatformServices } from '../platform/platform-services.js';
import { eachOf } from '../platform/scheduling/each-of.js';

const BATCH = 500;
/** The most that one run takes; the next one continues from there. */
const BATCHES_MAX = 40;
const TENANTS_AT_ONCE = 4;

/** A row that expired, and when. */
interface Due {
  readonly tenantId: string;
  readonly id: Id;
  readonly dueAt: string;
}

/** What expires. */
export interface Expiring {
  /** In the log. */
  readonly name: string;
  /**
   * Selects `tenantId`, `id` and `dueAt` of rows that expired, those that did first. Takes from which instant on, until
   * which, the tenants to leave out, and how many. The text is the program's own, never input.
   */
  readonly dueSql: string;
  /** Expires those of these rows that still can be, in the transaction of their tenant. @returns how many */
  readonly expire: (em: Em, tenantId: string, ids: readonly Id[], now: Date) => Promise<number>;
}

/**
 * Expires what has reached its end, of all tenants, in bounded pages. Any number of workers may run it at once: the
 * rows are judged again under their locks. Each tenant has a transaction of its own, so that one whose sweep fails
 * does not delay the others.
 */
export class ExpirySweep {
  constructor(
    private readonly its: Pick<PlatformServices, 'clock' | 'transactions' | 'log'>,
    private readonly of: Expiring,
  ) {}

  /** @returns how many expired @throws StoreUnavailableError when the database does not answer */
  async run(): Promise<number> {
    const failed = new Set<string>();
    let expired = 0;
    let fromDueAt = '1000-01-01';
    for (let batch = 0; batch < BATCHES_MAX; batch += 1) {
      const due = await this.due(failed, fromDueAt);
      fromDueAt = due.at(-1)?.dueAt ?? fromDueAt;
      const [expiredBefore, failedBefore] = [expired, failed.size];
      const byTenant = Map.groupBy(due, ({ tenantId }) => tenantId);
      await eachOf(byTenant, TENANTS_AT_ONCE, async ([tenantId, rows]) => {
        const count = await this.expireOf(tenantId, rows);
        if (count === null) failed.add(tenantId);
        else expired += count;
      });
      // Where none was moved and no tenant failed, other workers are at them.
      const isProgress = expired > expiredBefore || failed.size > failedBefore;
      if (due.length < BATCH || !isProgress) break;
    }
    if (expired > 0) this.its.log.info({ expired }, `${this.of.name} expired`);
    return expired;
  }

  private async due(failed: ReadonlySet<string>, fromDueAt: string): Promise<Due[]> {
    const now = new Date(this.its.clock.nowMs());
    const params = [fromDueAt, now, ['', ...failed], BATCH];
    return this.its.transactions.run(null, async (em) => em.execute(this.of.dueSql, params));
  }

  /** @returns null where it failed, which is logged */
  private async expireOf(tenantId: string, rows: readonly Due[]): Promise<number | null> {
    const ids = rows.map(({ id }) => id);
    const now = new Date(this.its.clock.nowMs());
    try {
      return await this.its.transactions.run(tenantId, async (em) => this.of.expire(em, tenantId, ids, now));
    } catch (error) {
      if (isServerAway(error)) throw new StoreUnavailableError('database', { cause: error });
      this.its.log.error({ err: error, tenantId }, `${this.of.name} past their end stay as they are`);
      return null;
    }
  }
}
