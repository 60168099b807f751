import { TenantFailures } from '../../platform/failures.js';
import type { MikroORM } from '@mikro-orm/core';
import { firstIdAt, type Id } from '../../platform/ids.js';
import { databaseNowMs } from '../../platform/database/database-clock.js';
import { deleteRows } from '../../platform/database/delete-rows.js';
import { systemEm, type Em } from '../../platform/database/orm.js';
import type { Transactions } from '../../platform/database/transaction.js';
import { ownsAll } from '../../platform/scheduling/job.js';
import type { TenantService } from '../../tenancy/tenant.service.js';

/** Rows that one step reads. */
const STEP_ROWS = 5000;
/** Steps of a tenant in one run; the next run goes on. */
const STEPS_MAX = 40;
const DAY_MS = 86_400_000;

/** By the primary key alone: ids are in order of time. The table is named, or the text would be sorted by. */
export const WALK_TOMBSTONES = `select cast(r.id as char) as id, r.status from redemption r force index (primary)
  where r.tenant_id = ? and r.id > cast(? as unsigned) and r.id < cast(? as unsigned)
  order by r.id limit ${STEP_ROWS}`;

interface RedemptionRow {
  readonly id: Id;
  readonly status: string;
}

/**
 * Deletes tombstones that no late commit can meet any more. A tombstone stops a commit of its id, so it is kept for far
 * longer than a process can be paused and come back with the claim in its memory, or a job can be tried again: those
 * are hours. Orders that failed stay: they bear the id too, and stop its commit for ever.
 */
export class TombstoneRetention {
  constructor(
    private readonly orm: MikroORM,
    private readonly transactions: Transactions,
    private readonly tenants: TenantService,
    private readonly keptDays: number,
  ) {}

  /** Any number of workers may run it at once. @returns how many were deleted */
  async prune(signal?: AbortSignal, isOwn = ownsAll): Promise<number> {
    const cutoffMs = (await databaseNowMs(systemEm(this.orm))) - this.keptDays * DAY_MS;
    let deleted = 0;
    const failures = new TenantFailures();
    for await (const page of this.tenants.idPages()) {
      for (const tenantId of page.filter(isOwn)) {
        if (signal?.aborted === true) return deleted;
        deleted += await this.pruneTenant(tenantId, firstIdAt(cutoffMs)).catch(failures.note);
      }
    }
    failures.throwFirst();
    return deleted;
  }

  private async pruneTenant(tenantId: string, beforeId: Id): Promise<number> {
    let deleted = 0;
    for (let step = 0; step < STEPS_MAX; step += 1) {
      const done = await this.transactions.run(tenantId, async (em) => this.step(em, tenantId, beforeId));
      deleted += done.deleted;
      if (done.read < STEP_ROWS) break;
    }
    return deleted;
  }

  private async step(em: Em, tenantId: string, beforeId: Id): Promise<{ read: number; deleted: number }> {
    const rows = await em.execute<RedemptionRow[]>(WALK_TOMBSTONES, [
      tenantId,
      await clearedTo(em, tenantId),
      beforeId,
    ]);
    const last = rows.at(-1);
    if (last === undefined) return { read: 0, deleted: 0 };
    const ids = rows.filter(({ status }) => status === 'ABORTED').map(({ id }) => id);
    const deleted = await deleteRows(em, {
      table: 'redemption',
      prefix: { tenant_id: tenantId },
      column: 'id',
      ids,
    });
    await em.execute(
      `insert into tombstone_mark (tenant_id, cleared_to_id) values (?, ?)
       on duplicate key update cleared_to_id = greatest(cleared_to_id, values(cleared_to_id))`,
      [tenantId, last.id],
    );
    return { read: rows.length, deleted };
  }
}

async function clearedTo(em: Em, tenantId: string): Promise<Id> {
  const [row] = await em.execute<{ id: Id }[]>(
    'select cast(cleared_to_id as char) as id from tombstone_mark where tenant_id = ?',
    [tenantId],
  );
  return row?.id ?? '0';
}
