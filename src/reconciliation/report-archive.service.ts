import type { FilterQuery, MikroORM } from '@mikro-orm/core';
import type { Clock } from '../platform/clock.js';
import { tenantEm, type Em } from '../platform/database/orm.js';
import type { IdGenerator } from '../platform/ids.js';
import { ReconciliationRun } from './reconciliation-run.entity.js';
import type { ReconciliationReport } from './report.js';

/** Reports of a tenant that are kept: of those that staff have asked for, and of the others. */
const KEPT_MAX = 20;

/** What is known of a report without reading it. */
export type ReportSummary = Pick<
  ReconciliationRun,
  'id' | 'verdict' | 'drifts' | 'repair' | 'requestedBy' | 'startedAt' | 'finishedAt'
>;

const SUMMARY = [
  'id',
  'verdict',
  'drifts',
  'repair',
  'requestedBy',
  'startedAt',
  'finishedAt',
] as const satisfies (keyof ReportSummary)[];

interface ArchiveParts {
  readonly orm: MikroORM;
  readonly ids: IdGenerator;
  readonly clock: Clock;
}

/** Keeps the latest reports of each tenant, for every process to show. */
export class ReportArchive {
  constructor(private readonly its: ArchiveParts) {}

  /** Keeps a report that this process made for a look. */
  async keep(tenantId: string, report: ReconciliationReport): Promise<void> {
    const em = tenantEm(this.its.orm, tenantId);
    await em.insert(ReconciliationRun, {
      tenantId,
      id: this.its.ids.next(),
      repair: false,
      requestedBy: null,
      requestedAt: report.startedAt,
      aliveAt: null,
      ...doneWith(report, this.its.clock.nowMs()),
    });
    await forgetOld(em, { requestedBy: null });
  }

  /** The last report that was made. */
  async summary(tenantId: string): Promise<ReportSummary | null> {
    return tenantEm(this.its.orm, tenantId).findOne(
      ReconciliationRun,
      { status: 'DONE' },
      { fields: SUMMARY, orderBy: { id: 'desc' }, disableIdentityMap: true },
    );
  }
}

/** The columns of a run whose report is there. */
export function doneWith(report: ReconciliationReport, nowMs: number) {
  return {
    status: 'DONE' as const,
    startedAt: report.startedAt,
    finishedAt: new Date(nowMs),
    progress: 100,
    verdict: report.verdict,
    drifts: report.checks.reduce((sum, { count, repaired }) => sum + count - repaired, 0),
    report,
    openSlot: null,
  };
}

/** Deletes all but the latest of those that have ended. */
export async function forgetOld(em: Em, kind: FilterQuery<ReconciliationRun>): Promise<void> {
  const ended = { $and: [kind, { openSlot: null }] };
  const [oldest] = await em.find(ReconciliationRun, ended, {
    fields: ['id'],
    orderBy: { id: 'desc' },
    offset: KEPT_MAX,
    limit: 1,
    disableIdentityMap: true,
  });
  if (oldest !== undefined)
    await em.nativeDelete(ReconciliationRun, { $and: [ended, { id: { $lte: oldest.id } }] });
}
