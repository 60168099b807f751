import { IsolationLevel, type QueryResult } from '@mikro-orm/core';
import type { Clock } from '../../platform/clock.js';
import { addUp, type Counted } from '../../platform/database/insert-rows.js';
import { systemEm, type Em } from '../../platform/database/orm.js';
import type { Id } from '../../platform/ids.js';
import type { PlatformServices } from '../../platform/platform-services.js';
import { KEPT_DAYS, pointsOf, SERIES_STEPS, STEP_MS } from './series-points.js';

/** Redemptions that one statement groups. */
const ROWS_AT_ONCE = 100_000;
const POINTS_AT_ONCE = 1000;
/** Tenants that one run begins; the next run continues. */
const TENANTS_MAX = 100;

interface GroupRow {
  readonly campaignId: Id;
  readonly productCode: string;
  /** Since 1970. */
  readonly minute: number;
  readonly isLate: number;
  readonly total: number;
}

/** What is alike in one part of the rows: by the minute where minutes are kept, else by the hour. */
function groups(instant: string, where: string): string {
  const minute = `timestampdiff(minute, '1970-01-01', ${instant})`;
  return `select cast(campaign_id as char) as campaignId, product_code as productCode, ${instant} >= ? as isLate,
      if(${instant} >= ?, ${minute}, ${minute} div 60 * 60) as minute, count(*) as total
    from redemption where tenant_id = ? and id > ? and id <= ? and ${where} group by 1, 2, 3, 4`;
}
const GROUPS = {
  COMMITTED: groups('claimed_at', "status <> 'ABORTED'"),
  REVERSED: groups('reversed_at', "status = 'REVERSED'"),
} as const;

/** The last number of the log is read by the same snapshot as the rows, so the series goes on exactly behind it. */
export class SeriesRecount {
  constructor(
    private readonly its: Pick<PlatformServices, 'orm' | 'transactions'>,
    private readonly clock: Clock,
  ) {}

  /** Begins the series of tenants that have redemptions and no series yet. @returns how many */
  async beginAll(signal?: AbortSignal): Promise<number> {
    const rows = await systemEm(this.its.orm).execute<{ tenantId: string }[]>(
      `select t.id as tenantId from tenant t
        where exists (select 1 from redemption_total r where r.tenant_id = t.id)
          and not exists (select 1 from redemption_series_cursor s where s.tenant_id = t.id)
        order by t.id limit ${TENANTS_MAX}`,
    );
    let begun = 0;
    for (const { tenantId } of rows) {
      if (signal?.aborted === true) break;
      if (await this.begin(tenantId)) begun += 1;
    }
    return begun;
  }

  /** Counts the rows of a tenant that has no series yet. @returns false where another process has done it */
  async begin(tenantId: string): Promise<boolean> {
    return this.count(tenantId, false);
  }

  /** Counts all rows of a tenant again, in place of what the series says. Refusals have no rows, and stay. */
  async recount(tenantId: string): Promise<void> {
    await this.count(tenantId, true);
  }

  private async count(tenantId: string, isAgain: boolean): Promise<boolean> {
    const isolationLevel = IsolationLevel.REPEATABLE_READ;
    return this.its.transactions.run(
      tenantId,
      async (em) => {
        // Holds up the counter of events, and takes no snapshot yet.
        const isNew = await lockCursor(em, tenantId);
        if (!isNew && !isAgain) return false;
        await em.execute(
          "delete from redemption_series where tenant_id = ? and outcome in ('COMMITTED', 'REVERSED')",
          [tenantId],
        );
        const seq = await lastSeqOf(em, tenantId);
        await this.write(em, tenantId);
        await em.execute('update redemption_series_cursor set seq = ? where tenant_id = ?', [seq, tenantId]);
        return true;
      },
      { isolationLevel },
    );
  }

  /** In the order of the ids, which is that of time: a part of the rows has few points, and the memory it takes is bounded. */
  private async write(em: Em, tenantId: string): Promise<void> {
    const lateFrom = new Date(this.clock.nowMs() - KEPT_DAYS.MINUTE * STEP_MS.DAY);
    for (let after: Id | null = '0'; after !== null;) {
      const until: Id | null = await partEnd(em, tenantId, after);
      for (const [outcome, sql] of Object.entries(GROUPS)) {
        const params = [lateFrom, lateFrom, tenantId, after, until ?? ID_MAX];
        const rows = await em.execute<GroupRow[]>(sql, params);
        await store(
          em,
          rows.flatMap(({ isLate, minute, ...row }) =>
            pointsOf(
              { ...row, tenantId, outcome, atMs: minute * STEP_MS.MINUTE },
              isLate === 1 ? SERIES_STEPS : ['HOUR', 'DAY'],
            ),
          ),
        );
      }
      after = until;
    }
  }
}

const ID_MAX = '9223372036854775807';

/** The last id of the next part of the rows; null where the rest is one part. */
async function partEnd(em: Em, tenantId: string, after: Id): Promise<Id | null> {
  // The table is named: by itself, `id` would be the text that is selected, and order 10 before 9.
  const [row] = await em.execute<{ id: Id }[]>(
    `select cast(id as char) as id from redemption where tenant_id = ? and id > ?
      order by redemption.id limit 1 offset ${ROWS_AT_ONCE - 1}`,
    [tenantId, after],
  );
  return row?.id ?? null;
}

async function store(em: Em, points: readonly Counted[]): Promise<void> {
  for (let at = 0; at < points.length; at += POINTS_AT_ONCE)
    await addUp(em, 'redemption_series', points.slice(at, at + POINTS_AT_ONCE));
}

/** Locks the cursor of a tenant, made where there is none. @returns whether there was none */
async function lockCursor(em: Em, tenantId: string): Promise<boolean> {
  const { affectedRows } = await em.execute<QueryResult>(
    'insert ignore into redemption_series_cursor (tenant_id, seq) values (?, 0)',
    [tenantId],
    'run',
  );
  await em.execute('select seq from redemption_series_cursor where tenant_id = ? for update', [tenantId]);
  return affectedRows === 1;
}

async function lastSeqOf(em: Em, tenantId: string): Promise<number> {
  const [row] = await em.execute<{ seq: number }[]>(
    'select last_seq as seq from outbox_counter where tenant_id = ?',
    [tenantId],
  );
  return row?.seq ?? 0;
}
