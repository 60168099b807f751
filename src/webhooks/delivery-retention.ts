import type { MikroORM, QueryResult } from '@mikro-orm/core';
import { databaseNowMs } from '../platform/database/database-clock.js';
import { systemEm } from '../platform/database/orm.js';

const BATCH = 1000;
/** Batches of one run; the next run goes on. */
const BATCHES_MAX = 500;
const DAY_MS = 86_400_000;

/** Deletes deliveries that are old, of all tenants. */
export class DeliveryRetention {
  constructor(
    private readonly orm: MikroORM,
    private readonly keptDays: number,
  ) {}

  /** Any number of workers may run it at once. @returns how many were deleted */
  async prune(signal?: AbortSignal): Promise<number> {
    const em = systemEm(this.orm);
    const cutoff = new Date((await databaseNowMs(em)) - this.keptDays * DAY_MS);
    let deleted = 0;
    for (let batch = 0; batch < BATCHES_MAX; batch += 1) {
      if (signal?.aborted === true) break;
      const { affectedRows } = await em.execute<QueryResult>(
        `delete from webhook_delivery where queued_at < ? and status <> 'PENDING' order by queued_at limit ${BATCH}`,
        [cutoff],
        'run',
      );
      deleted += affectedRows;
      if (affectedRows < BATCH) break;
    }
    return deleted;
  }
}
