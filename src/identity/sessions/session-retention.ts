import type { QueryResult } from '@mikro-orm/core';
import type { Clock } from '../../platform/clock.js';
import type { Transactions } from '../../platform/database/transaction.js';
import type { PeriodicJob } from '../../platform/scheduling/job.js';

const EVERY_MS = 3_600_000;
const BATCH = 1000;
/** Sessions that have expired are kept for questions about them. */
const KEPT_DAYS = 30;
const DAY_MS = 86_400_000;

/** Deletes sessions long after they expired; those that were ended before expire like the others. */
export class SessionRetention {
  readonly job: PeriodicJob = {
    name: 'expired sessions deleted',
    everyMs: EVERY_MS,
    where: 'IN_ONE',
    keeps: [{ what: 'Expired sessions', days: KEPT_DAYS }],
    run: async (signal) => this.prune(signal),
  };

  constructor(
    private readonly transactions: Transactions,
    private readonly clock: Clock,
  ) {}

  /** @returns how many were deleted */
  async prune(signal?: AbortSignal): Promise<number> {
    const cutoff = new Date(this.clock.nowMs() - KEPT_DAYS * DAY_MS);
    for (let deleted = 0; ;) {
      const count = await this.transactions.run(null, async (em) => {
        const sql = `delete from session where expires_at < ? order by expires_at limit ${BATCH}`;
        return (await em.execute<QueryResult>(sql, [cutoff], 'run')).affectedRows;
      });
      deleted += count;
      if (count < BATCH || signal?.aborted === true) return deleted;
    }
  }
}
