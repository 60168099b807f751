import type { CodeRecognizer } from '../codes/code-recognizer.service.js';
import type { Config } from '../config.js';
import type { Clock } from '../platform/clock.js';
import type { Logger } from '../platform/observability/log.js';
import { NamedLock } from '../platform/database/named-lock.js';
import type { ClaimSweeper } from '../redemption/recovery/claim-sweeper.js';
import { databaseChecks, redisChecks, type RedisCheckParts } from '../reconciliation/checks.js';
import { CompensationJob } from '../reconciliation/compensation.jobs.js';
import { Compensation } from '../reconciliation/compensation.js';
import { Reconciler } from '../reconciliation/reconciler.js';
import { ReconciliationRedis } from '../reconciliation/reconciliation.redis.js';
import { ReportDesk } from '../reconciliation/report-cache.js';
import { Rows } from '../reconciliation/rows.js';
import type { Stores } from './stores.js';

const DAY_MS = 86_400_000;

type Parts = Omit<RedisCheckParts, 'redis' | 'rows'> & {
  readonly clock: Clock;
  readonly sweeper: ClaimSweeper;
  readonly recognizer: CodeRecognizer;
};

/** A part of `app.ts`: what compares Redis and the database, and brings them in step. */
export function composeReconciliation(
  { orm, readOrm, redis: connection }: Stores,
  config: Config,
  its: Parts,
  log: Logger,
) {
  const { clock } = its;
  const redis = new ReconciliationRedis(connection);
  const reconcilerOn = (rows: Rows): Reconciler =>
    new Reconciler({
      redis,
      rows,
      clock,
      databaseChecks: databaseChecks(rows, clock, config.OUTBOX_RETENTION_DAYS * DAY_MS, its.recognizer),
      redisChecks: redisChecks({ ...its, redis, rows }),
    });
  const reconciler = reconcilerOn(new Rows(orm));
  const compensation = new Compensation(reconciler, its.sweeper, log);
  const lock = new NamedLock(orm, 'compensation');
  const compensationJob = new CompensationJob({ compensation, redis, lock, log });
  // Staff ask for it at any time: it must not take the connections of redemptions.
  const reports = new ReportDesk(reconcilerOn(new Rows(readOrm)), clock);
  return { reconciler, compensation, compensationJob, reports };
}
