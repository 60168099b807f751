import { TenantFailures } from '../failures.js';
import type { MikroORM, QueryResult } from '@mikro-orm/core';
import { databaseNowMs } from '../database/database-clock.js';
import { systemEm, tenantEm } from '../database/orm.js';
import { ownsAll } from '../scheduling/job.js';

const TENANTS_PAGE = 500;
/** Events that one statement deletes. */
const BATCH = 1000;
/** Batches of a tenant in one run; the next run continues. */
const BATCHES_MAX = 200;
const DAY_MS = 86_400_000;

/** The oldest events that all consumers have handled; none while one of them has not begun. */
export const OLDEST_HANDLED = `select seq, created_at < ? as is_old from outbox_event force index (primary)
  where tenant_id = ? and seq <= (select case when count(*) = ? then coalesce(min(seq), ~0) else 0 end
    from event_consumer where tenant_id = ? and consumer in (?))
  order by seq limit ${BATCH}`;

/**
 * Cursors of consumers that this version does not have, once the event behind them is gone. To a consumer such a cursor
 * says no more than none, so another version that still has it loses nothing.
 */
const FORGET_REMOVED = `delete from event_consumer where tenant_id = ? and consumer not in (?)
  and seq < coalesce((select min(seq) from outbox_event where tenant_id = ?), ~0)`;

interface OldEvent {
  readonly seq: number;
  readonly is_old: number;
}

/**
 * Deletes old events, always those with the lowest numbers, up to the first one that stays. The remaining numbers have no
 * gap, so a cursor that has missed events can be recognized.
 */
export class OutboxRetention {
  /** @param consumers Names of all consumers of this version; what one of them has not handled is kept. */
  constructor(
    private readonly orm: MikroORM,
    private readonly keptDays: number,
    private readonly consumers: readonly string[],
  ) {}

  /** Any number of workers may run it at once. @returns how many were deleted */
  async prune(signal?: AbortSignal, isOwn = ownsAll): Promise<number> {
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
        if (!isOwn(tenantId)) continue;
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
    const names = ['', ...this.consumers];
    let deleted = 0;
    for (let batch = 0; batch < BATCHES_MAX; batch += 1) {
      const params = [cutoff, tenantId, this.consumers.length, tenantId, names];
      const oldest = await em.execute<OldEvent[]>(OLDEST_HANDLED, params);
      const firstKept = oldest.findIndex((event) => event.is_old === 0);
      const last = oldest.at(firstKept === -1 ? -1 : firstKept - 1);
      if (last === undefined || firstKept === 0) break;
      const { affectedRows } = await em.execute<QueryResult>(
        'delete from outbox_event where tenant_id = ? and seq <= ?',
        [tenantId, last.seq],
        'run',
      );
      deleted += affectedRows;
      if (firstKept !== -1 || oldest.length < BATCH) break;
    }
    await em.execute(FORGET_REMOVED, [tenantId, names, tenantId]);
    return deleted;
  }
}
