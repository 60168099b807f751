import type { PublishedEvent } from '../../platform/outbox/published-event.js';
import type { IsOwn, Job } from '../../platform/scheduling/job.js';
import { REDEMPTION_SETTLED } from '../../rewards/rewards-given.js';
import { OpenClaimsRedis } from '../claim/open-claims.redis.js';
import type { RedemptionRedis } from '../claim/redemption.redis.js';
import type { SettlementNeeds } from '../commit/compose-settlement.js';
import type { AbortService } from '../commit/abort.service.js';
import type { GroupCommit } from '../commit/group-commit.js';
import { AgedRows } from '../../platform/database/aged-rows.js';
import { ClaimSweeper } from './claim-sweeper.js';
import { LateConfirms } from './late-confirms.js';
import { TombstoneRetention } from './tombstone-retention.js';

interface Needs extends SettlementNeeds {
  readonly redemptionRedis: RedemptionRedis;
  readonly groupCommit: GroupCommit;
  readonly aborts: AbortService;
}

const RETENTION_EVERY_MS = 600_000;

/** What settles claims whose process died, or whose confirm was lost. */
export function composeRecovery(its: Needs) {
  const { config, log, groupCommit, redemptionRedis } = its;
  const lateConfirms = new LateConfirms(redemptionRedis, groupCommit, log);
  const open = new OpenClaimsRedis(its.redis);
  const sweeper = new ClaimSweeper({ ...its, open, redis: redemptionRedis });
  const tombstones = new TombstoneRetention(
    its.orm,
    its.transactions,
    its.tenants,
    config.TOMBSTONE_RETENTION_DAYS,
  );
  const prune = async (signal?: AbortSignal, isOwn?: IsOwn): Promise<void> => {
    const deleted = await tombstones.prune(signal, isOwn);
    if (deleted > 0) log.info({ deleted }, 'expired tombstones were deleted');
  };
  const attempts = new AgedRows(its.orm, {
    table: 'refused_attempt',
    column: 'refused_at',
    keptDays: config.ATTEMPT_LOG_DAYS,
  });
  const jobs: Job[] = [
    {
      name: 'claim sweep',
      everyMs: config.SWEEP_EVERY_MS,
      where: 'IN_EACH',
      run: async (signal, isOwn) => sweeper.sweepAll(signal, isOwn),
    },
    {
      name: 'tombstone retention',
      everyMs: RETENTION_EVERY_MS,
      where: 'IN_EACH',
      keeps: [{ what: 'Tombstones of aborted claims', days: config.TOMBSTONE_RETENTION_DAYS }],
      run: prune,
    },
    {
      name: 'attempt retention',
      everyMs: RETENTION_EVERY_MS,
      where: 'IN_EACH',
      keeps: [{ what: 'Refused attempts', days: config.ATTEMPT_LOG_DAYS }],
      run: async (signal, isOwn) => attempts.prune(signal, isOwn),
    },
  ];
  const confirmLate = async (tenantId: string, events: readonly PublishedEvent[]): Promise<void> => {
    const settled = events.map(({ payload }) => ({
      redemptionId: String(payload['redemptionId']),
      digest: String(payload['digest']),
    }));
    await lateConfirms.watch(tenantId, settled);
  };
  return {
    services: { lateConfirms, sweeper, tombstones, attemptRetention: attempts, openClaims: open },
    jobs,
    consumers: [{ name: 'late_confirms', types: [REDEMPTION_SETTLED], handle: confirmLate }],
  };
}
