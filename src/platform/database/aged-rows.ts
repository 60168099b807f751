import type { MikroORM, QueryResult } from '@mikro-orm/core';
import { databaseNowMs } from './database-clock.js';
import { ownsAll } from '../scheduling/job.js';
import { systemEm } from './orm.js';

const BATCH = 1000;
/** Batches of one run; the next run continues. */
const BATCHES_MAX = 500;
const DAY_MS = 86_400_000;

interface Ageing {
  readonly table: string;
  /** Since when a row ages; an index begins with it. */
  readonly column: string;
  readonly keptDays: number;
  /** A further condition on the rows. */
  readonly where?: string;
}

/** Rows of all tenants that are deleted once they are old, by the database's clock. */
export class AgedRows {
  constructor(
    private readonly orm: MikroORM,
    private readonly its: Ageing,
  ) {}

  /** Deletes the oldest first. Of several workers one does it for a table: they would meet at the same rows. @returns how many */
  async prune(signal?: AbortSignal, isOwn = ownsAll): Promise<number> {
    if (!isOwn(this.its.table)) return 0;
    const { table, column, keptDays, where = 'true' } = this.its;
    const em = systemEm(this.orm);
    const cutoff = new Date((await databaseNowMs(em)) - keptDays * DAY_MS);
    const sql = `delete from ${table} where ${column} < ? and ${where} order by ${column} limit ${BATCH}`;
    let deleted = 0;
    for (let batch = 0; batch < BATCHES_MAX; batch += 1) {
      if (signal?.aborted === true) break;
      const { affectedRows } = await em.execute<QueryResult>(sql, [cutoff], 'run');
      deleted += affectedRows;
      if (affectedRows < BATCH) break;
    }
    return deleted;
  }
}
