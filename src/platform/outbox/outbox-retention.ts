import { TenantFailures } from '../failures.js';
import type { MikroORM, QueryResult } from '@mikro-orm/core';
import type { Id } from '../ids.js';
import { databaseNowMs } from '../database/database-clock.js';
import { systemEm, tenantEm } from '../database/orm.js';

const TENANTS_PAGE = 500;
/** Events that one statement deletes. */
const BATCH = 1000;
/** So many batches of a tenant, then the others have their turn; the next run goes on. */
const BATCHES_MAX = 200;
const DAY_MS = 86_400_000;

/** The oldest published events by their numbers; what is not published, or has no number yet, is never among them. */
export const OLDEST_PUBLISHED = `select cast(id as char) as id, created_at < ? as is_old
  from outbox_event force index (uq_outbox_event__tenant_seq)
  where tenant_id = ? and seq > 0 and seq <= (select published_seq from outbox_counter where tenant_id = ?)
  order by seq limit ${BATCH}`;

interface OldEvent {
  readonly id: Id;
  readonly is_old: number;
}

/**
 * Deletes published events that are old. Always those with the lowest numbers, up to the first that is kept: so the
 * numbers that are left have no gap, and a cursor before them can be told from one that has missed nothing.
 */
export class OutboxRetention {
  constructor(
    private readonly orm: MikroORM,
    private readonly keptDays: number,
  ) {}

  /** All tenants; any number of workers may run it at once. @returns how many were deleted */
  async prune(signal?: AbortSignal): Promise<number> {
    const em = systemEm(this.orm);
    const cutoff = new Date((await databaseNowMs(em)) - this.keptDays * DAY_MS);
    let deleted = 0;
    const failures = new TenantFailures();
    for (let after = ''; ;) {
      const page = await em.execute<{ tenant_id: string }[]>(
        'select tenant_id from outbox_counter where tenant_id > ? order by tenant_id limit ?',
        [after, TENANTS_PAGE],
      );
      for (const { tenant_id: tenantId } of page) {
        if (signal?.aborted === true) return deleted;
        deleted += await this.pruneTenant(tenantId, cutoff).catch(failures.note);
      }
      if (page.length < TENANTS_PAGE) break;
      after = page.at(-1)?.tenant_id ?? '';
    }
    failures.throwFirst();
    return deleted;
  }

  private async pruneTenant(tenantId: string, cutoff: Date): Promise<number> {
    const em = tenantEm(this.orm, tenantId);
    let deleted = 0;
    for (let batch = 0; batch < BATCHES_MAX; batch += 1) {
      const oldest = await em.execute<OldEvent[]>(OLDEST_PUBLISHED, [cutoff, tenantId, tenantId]);
      const firstKept = oldest.findIndex((event) => event.is_old === 0);
      const old = firstKept === -1 ? oldest : oldest.slice(0, firstKept);
      if (old.length === 0) break;
      const ids = old.map(({ id }) => id);
      const { affectedRows } = await em.execute<QueryResult>(
        'delete from outbox_event where tenant_id = ? and id in (?)',
        [tenantId, ids],
        'run',
      );
      deleted += affectedRows;
      if (old.length < BATCH) break;
    }
    return deleted;
  }
}
