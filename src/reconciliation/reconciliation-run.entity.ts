import { defineEntity, p } from '@mikro-orm/core';
import { idColumn, instantColumn, smallCountColumn, tenantColumn } from '../platform/database/columns.js';
import type { ReconciliationReport } from './report.js';

export const RUN_STATUSES = ['WAITING', 'RUNNING', 'DONE', 'FAILED'] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

/** A reconciliation of one tenant: asked for, under way, or made. Only the latest are kept. */
const ReconciliationRunSchema = defineEntity({
  name: 'ReconciliationRun',
  tableName: 'reconciliation_run',
  // A tenant has one that is open at a time.
  uniques: [{ name: 'uq_reconciliation_run__open', properties: ['tenantId', 'openSlot'] }],
  // Finds those of all tenants that wait for a worker.
  indexes: [{ name: 'ix_reconciliation_run__open', properties: ['openSlot', 'status'] }],
  properties: {
    tenantId: tenantColumn().primary(),
    id: idColumn().primary(),
    status: p.enum(() => RUN_STATUSES).$type<RunStatus>(),
    /** Whether it corrects what Redis holds. */
    repair: p.boolean(),
    /** The member of staff who asked for it; null where a process made it for a look at the report. */
    requestedBy: p.string().length(64).nullable(),
    requestedAt: instantColumn(),
    startedAt: instantColumn().nullable(),
    /** When its worker last said that it is at work. */
    aliveAt: instantColumn().nullable(),
    finishedAt: instantColumn().nullable(),
    /** In percent. */
    progress: p.tinyint().unsigned().default(0),
    verdict: p
      .enum(() => ['CLEAN', 'DRIFT'] as const)
      .$type<ReconciliationReport['verdict']>()
      .nullable(),
    /** Drifts that are left. */
    drifts: smallCountColumn().nullable(),
    report: p.json().$type<ReconciliationReport>().nullable().lazy(),
    /** 1 while it waits or runs; else null. */
    openSlot: p.tinyint().unsigned().nullable(),
  },
});
export class ReconciliationRun extends ReconciliationRunSchema.class {}
ReconciliationRunSchema.setClass(ReconciliationRun);
