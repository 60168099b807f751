import type { QueryResult } from '@mikro-orm/core';
import { databaseNowMs } from '../platform/database/database-clock.js';
import { findPage, type Page, type PageRange } from '../platform/database/find-page.js';
import { insertNew } from '../platform/database/insert-new.js';
import { systemEm, tenantEm } from '../platform/database/orm.js';
import { DomainError } from '../platform/errors.js';
import type { Id } from '../platform/ids.js';
import type { PlatformServices } from '../platform/platform-services.js';
import { Periodic } from '../platform/scheduling/periodic.js';
import type { Reconciler } from './reconciler.js';
import { ReconciliationRun } from './reconciliation-run.entity.js';
import { doneWith, forgetOld } from './report-archive.service.js';
import type { ReconciliationReport } from './report.js';

export const START_RECONCILIATION_REFUSALS = ['RECONCILIATION_UNDER_WAY'] as const;

const ALIVE_EVERY_MS = 5000;
/** A run whose worker has said nothing for so long is taken over by another one. */
const SILENCE_MAX_S = 60;
const STAFF_ID_LENGTH_MAX = 64;

/** What no worker is at: it waits, or its worker has died. */
const IS_FREE = `open_slot = 1 and (status = 'WAITING'
  or alive_at < utc_timestamp(3) - interval ${SILENCE_MAX_S} second)`;
const FIND_FREE = `select tenant_id as tenantId, cast(id as char) as id, \`repair\` from reconciliation_run
  where ${IS_FREE} order by requested_at limit 1`;
const TAKE = `update reconciliation_run set status = 'RUNNING', progress = 0, started_at = ?, alive_at = ?
  where tenant_id = ? and id = ? and ${IS_FREE}`;
const STAY_ALIVE = `update reconciliation_run set alive_at = utc_timestamp(3), progress = ?
  where tenant_id = ? and id = ? and status = 'RUNNING' and started_at = ?`;

interface RunParts extends Pick<
  PlatformServices,
  'orm' | 'readOrm' | 'transactions' | 'ids' | 'clock' | 'log'
> {
  readonly reconciler: Pick<Reconciler, 'run'>;
}

interface FreeRun {
  readonly tenantId: string;
  readonly id: Id;
  readonly repair: number;
}

/** A run that this worker has taken; by its start the worker knows that no other one has taken it over. */
interface TakenRun extends FreeRun {
  readonly startedAt: Date;
}

/**
 * Reconciliations that staff ask for. The row decides: one at a time for a tenant, and one worker at a time for it. Two
 * workers that change a row may deadlock over its indexes, so each change is a transaction, which runs again.
 */
export class ReconciliationRuns {
  constructor(private readonly its: RunParts) {}

  /** @throws DomainError one of {@link START_RECONCILIATION_REFUSALS} */
  async start(tenantId: string, staffId: string, repair: boolean): Promise<ReconciliationRun> {
    const id = this.its.ids.next();
    return this.its.transactions.runForCaller(tenantId, async (em) => {
      const open = await em.findOne(ReconciliationRun, { openSlot: 1 }, { disableIdentityMap: true });
      if (open?.id === id) return open;
      if (open !== null) throw underWay();
      const row = {
        tenantId,
        id,
        status: 'WAITING' as const,
        repair,
        requestedBy: staffId.slice(0, STAFF_ID_LENGTH_MAX),
        requestedAt: new Date(this.its.clock.nowMs()),
        startedAt: null,
        aliveAt: null,
        finishedAt: null,
        progress: 0,
        verdict: null,
        drifts: null,
        openSlot: 1,
      };
      // Of two calls at once one meets the other's row, and runs again.
      return insertNew(em, ReconciliationRun, { ...row, report: null }, (cause) => cause as Error);
    });
  }

  /** Those that staff have asked for, newest first. @param withReport whether the whole reports are read */
  async page(tenantId: string, withReport: boolean, range: PageRange): Promise<Page<ReconciliationRun>> {
    const em = tenantEm(this.its.readOrm, tenantId);
    const page = await findPage(em, ReconciliationRun, { requestedBy: { $ne: null } }, range);
    if (!withReport) return page;
    const ids = page.items.map(({ id }) => id);
    const options = { populate: ['report'], orderBy: { id: 'desc' }, disableIdentityMap: true } as const;
    return { ...page, items: await em.find(ReconciliationRun, { id: { $in: ids } }, options) };
  }

  /** Works for all tenants, one run after the other, until none waits. Any number of workers may do it at once. */
  async work(signal?: AbortSignal): Promise<void> {
    for (;;) {
      const [free] = await systemEm(this.its.orm).execute<FreeRun[]>(FIND_FREE);
      if (free === undefined || signal?.aborted === true) return;
      const taken = await this.take(free);
      if (taken !== null) await this.run(taken, signal);
    }
  }

  private async take(free: FreeRun): Promise<TakenRun | null> {
    return this.its.transactions.run(free.tenantId, async (em) => {
      const startedAt = new Date(await databaseNowMs(em));
      const values = [startedAt, startedAt, free.tenantId, free.id];
      const { affectedRows } = await em.execute<QueryResult>(TAKE, values, 'run');
      return affectedRows === 1 ? { ...free, startedAt } : null;
    });
  }

  private async run(taken: TakenRun, signal?: AbortSignal): Promise<void> {
    const lost = new AbortController();
    let percent = 0;
    const alive = new Periodic(
      { name: 'reconciliation alive', everyMs: ALIVE_EVERY_MS, log: this.its.log },
      async () => {
        if (!(await this.stayAlive(taken, percent))) lost.abort();
      },
    );
    alive.start();
    try {
      const report = await this.its.reconciler.run({
        tenantId: taken.tenantId,
        repair: taken.repair === 1,
        signal: signal === undefined ? lost.signal : AbortSignal.any([signal, lost.signal]),
        progressed: (share) => {
          percent = Math.floor(share * 100);
        },
      });
      await this.finish(taken, report);
    } catch (error) {
      const { tenantId } = taken;
      if (signal?.aborted === true) await this.giveBack(taken);
      else if (!lost.signal.aborted) {
        this.its.log.error({ err: error, tenantId }, 'a reconciliation failed');
        await this.fail(taken);
      }
    } finally {
      await alive.stop();
    }
  }

  private async stayAlive({ tenantId, id, startedAt }: TakenRun, percent: number): Promise<boolean> {
    const values = [percent, tenantId, id, startedAt];
    return this.its.transactions.run(tenantId, async (em) => {
      const { affectedRows } = await em.execute<QueryResult>(STAY_ALIVE, values, 'run');
      return affectedRows === 1;
    });
  }

  private async finish(taken: TakenRun, report: ReconciliationReport): Promise<void> {
    const { startedAt: _start, ...done } = doneWith(report, this.its.clock.nowMs());
    await this.settle(taken, done);
  }

  private async fail(taken: TakenRun): Promise<void> {
    const finishedAt = new Date(this.its.clock.nowMs());
    await this.settle(taken, { status: 'FAILED', finishedAt, openSlot: null });
  }

  /** The process ends: another worker makes the run. */
  private async giveBack(taken: TakenRun): Promise<void> {
    await this.settle(taken, { status: 'WAITING', aliveAt: null });
  }

  /** Of no effect where another worker has taken the run over. The latest that have ended are kept. */
  private async settle(
    { tenantId, id, startedAt }: TakenRun,
    values: Partial<ReconciliationRun>,
  ): Promise<void> {
    const where = { id, status: 'RUNNING' as const, startedAt };
    await this.its.transactions.run(tenantId, async (em) => {
      await em.nativeUpdate(ReconciliationRun, where, values);
      await forgetOld(em, { requestedBy: { $ne: null } });
    });
  }
}

function underWay(): DomainError<(typeof START_RECONCILIATION_REFUSALS)[number]> {
  return new DomainError(
    'RECONCILIATION_UNDER_WAY',
    'A reconciliation of the tenant is under way. Wait for its end.',
  );
}
