import type { MikroORM } from '@mikro-orm/core';
import type { AuditVerifier } from '../audit/audit-verifier.service.js';
import type { CodeCopyService } from '../codes/code-copy.service.js';
import type { CodeRecognizer } from '../codes/code-recognizer.service.js';
import type { RateLimitService } from '../limits/rate-limit.service.js';
import type { RowCheck } from '../platform/database/row-check.js';
import { ExclusiveWork } from '../platform/leases/exclusive-work.js';
import type { EventConsumer } from '../platform/outbox/event-consumers.js';
import { OUTBOX_CHECKS } from '../platform/outbox/outbox.checks.js';
import type { PlatformServices } from '../platform/platform-services.js';
import type { AbortService } from '../redemption/commit/abort.service.js';
import type { ClaimSweeper } from '../redemption/recovery/claim-sweeper.js';
import type { ProductLineService } from '../tenancy/product-line.service.js';
import type { TenantService } from '../tenancy/tenant.service.js';
import { AuditChecks } from './audit-checks.js';
import { ClaimChecks } from './claim-checks.js';
import { CompensationJob } from './compensation.jobs.js';
import { Compensation } from './compensation.js';
import { CopyChecks } from './copy-checks.js';
import { DigestChecks } from './digest-checks.js';
import { MarkerChecks } from './marker-checks.js';
import { Reconciler } from './reconciler.js';
import { ReconciliationRedis } from './reconciliation.redis.js';
import { ReconciliationResolver } from './reconciliation.resolver.js';
import { ReconciliationRuns } from './reconciliation-runs.service.js';
import { ReconciliationRun } from './reconciliation-run.entity.js';
import { ReportArchive } from './report-archive.service.js';
import { ReportCache } from './report-cache.js';
import { statementChecks } from './row-checks.js';
import { Rows } from './rows.js';
import { UnknownChecks } from './unknown-checks.js';
import { WindowChecks } from './window-checks.js';
import { RECONCILIATION_PERMISSIONS } from './reconciliation.permissions.js';

interface Needs extends Pick<
  PlatformServices,
  'orm' | 'readOrm' | 'redis' | 'clock' | 'ids' | 'log' | 'transactions'
> {
  readonly sweeper: ClaimSweeper;
  readonly aborts: AbortService;
  readonly recognizer: CodeRecognizer;
  readonly copies: CodeCopyService;
  readonly lines: ProductLineService;
  readonly limits: RateLimitService;
  readonly tenants: TenantService;
  readonly auditVerifier: AuditVerifier;
  /** Of all features, as are the consumers. */
  readonly rowChecks: readonly RowCheck[];
  readonly consumers: readonly EventConsumer[];
}

const LOOK_EVERY_MS = 60_000;
const RUNS_EVERY_MS = 1000;

/** @param orm where rows are read */
export function composeReconciler(its: Needs, orm: MikroORM, secondLookMs?: number): Reconciler {
  const { tenants, clock, transactions } = its;
  const rows = new Rows(orm, its.consumers);
  const redis = new ReconciliationRedis(its.redis);
  return new Reconciler({
    redis,
    tenants,
    clock,
    transactions,
    databaseChecks: [
      ...statementChecks(rows, its.rowChecks),
      new DigestChecks(rows, its.recognizer),
      new AuditChecks(its.auditVerifier),
    ],
    // Claims first, because what closes them drops copies, too.
    redisChecks: [
      new ClaimChecks(redis, rows, its.aborts),
      new CopyChecks(redis, rows),
      new MarkerChecks(redis, rows),
      new UnknownChecks(redis, rows, its.copies),
      new WindowChecks(redis, its.lines, its.limits),
    ],
    ...(secondLookMs !== undefined && { secondLookMs }),
  });
}

/** Compares Redis with the database, and brings them in step. */
export const reconciliation = {
  name: 'reconciliation',
  entities: [ReconciliationRun],
  resolvers: [ReconciliationResolver],
  permissions: RECONCILIATION_PERMISSIONS,
  /** The log of events belongs to no feature. */
  checks: OUTBOX_CHECKS,
  compose: (its: Needs) => {
    const { orm, clock, log } = its;
    const redis = new ReconciliationRedis(its.redis);
    const reconciler = composeReconciler(its, orm);
    const compensation = new Compensation(reconciler, its.sweeper, log);
    const lease = new ExclusiveWork(orm, 'compensation');
    const compensationJob = new CompensationJob({ compensation, redis, lease, log });
    // Staff ask for it at any time: it must not take the connections of redemptions.
    const archive = new ReportArchive(its);
    const reports = new ReportCache(
      composeReconciler(its, its.readOrm),
      clock,
      {},
      // Who waits for the report gets it, also where it cannot be kept.
      async (tenantId, report) =>
        archive
          .keep(tenantId, report)
          .catch((error: unknown) => log.warn({ err: error, tenantId }, 'a report was not kept')),
    );
    const runs = new ReconciliationRuns({ ...its, reconciler });
    const look = async (signal?: AbortSignal): Promise<boolean> => compensationJob.tick(signal);
    return {
      services: {
        reconciler,
        compensation,
        compensationJob,
        reports,
        reportArchive: archive,
        reconciliationRuns: runs,
      },
      resolvers: [new ReconciliationResolver(reports, runs)],
      jobs: [
        { name: 'compensation', everyMs: LOOK_EVERY_MS, where: 'IN_EACH' as const, run: look },
        {
          name: 'reconciliation runs',
          everyMs: RUNS_EVERY_MS,
          where: 'IN_EACH' as const,
          run: async (signal?: AbortSignal) => runs.work(signal),
        },
      ],
    };
  },
};
