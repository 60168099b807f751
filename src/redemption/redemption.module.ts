import type { MikroORM } from '@mikro-orm/core';
import type { CampaignNames } from '../campaigns/campaign-names.service.js';
import { campaignNameOf, type CampaignPorts } from '../campaigns/campaigns.module.js';
import type { CampaignRewards } from '../campaigns/campaign-rewards.service.js';
import type { CampaignBudgets } from '../campaigns/campaign-budgets.service.js';
import type { CampaignConditions } from '../campaigns/campaign-conditions.service.js';
import type { CampaignReader } from '../campaigns/campaign-reader.service.js';
import type { BatchGate } from '../codes/batch-gate.service.js';
import type { CodeEndings } from '../codes/code-endings.service.js';
import type { CodeCounts } from '../codes/code-counts.service.js';
import type { CodeReader } from '../codes/code-reader.service.js';
import type { CodeCopyService } from '../codes/code-copy.service.js';
import type { CodeRecognizer } from '../codes/code-recognizer.service.js';
import type { CodeFence, CodeRedigest } from '../codes/code-redigest.service.js';
import type { AccessService } from '../identity/access.service.js';
import { externalUserIdOf, type ExternalUserIds, type UserErasure } from '../identity/identity.module.js';
import type { UserService } from '../identity/users/user.service.js';
import type { FailedAttemptService } from '../limits/failed-attempts.service.js';
import type { RateLimitService } from '../limits/rate-limit.service.js';
import type { DeferredOrders, RedeemedOrders } from '../orders/orders/order.service.js';
import { Totals } from '../platform/database/totals.js';
import type { IdGenerator } from '../platform/ids.js';
import type { Job } from '../platform/scheduling/job.js';
import type { TenantEventLetterService } from '../tenancy/directory/tenant-event-letters.service.js';
import type { ProductLineService } from '../tenancy/product-line.service.js';
import { CodeFenceRedis } from './claim/code-fence.redis.js';
import { ReturnedUsesRedis } from './claim/returned-uses.redis.js';
import { composeSettlement, type SettlementNeeds } from './commit/compose-settlement.js';
import { composeDeferred } from './deferred/compose-deferred.js';
import { DeadLetterResolver } from './deferred/dead-letter.resolver.js';
import { DeadLetterType } from './deferred/dead-letter.types.js';
import { AttemptLog } from './history/attempt-log.js';
import { GRANT_CHECKS } from './history/grant.checks.js';
import { RedemptionCodeResolver } from './history/redemption-code.resolver.js';
import { RedemptionErasure } from './history/redemption-erasure.js';
import { RedemptionEventsResolver } from './history/redemption-events.resolver.js';
import { listOrdersOf } from './history/redemption-queries.js';
import { RedemptionReader } from './history/redemption-reader.js';
import { RedemptionReversalResolver } from './history/redemption-reversal.resolver.js';
import { RedemptionSettledResolver } from './history/redemption-settled.resolver.js';
import { REDEMPTION_CHECKS } from './history/redemption.checks.js';
import { RedemptionTotal } from './history/redemption-total.entity.js';
import { REDEMPTION_TOTALS } from './history/redemption-totals.js';
import { Redemption } from './history/redemption.entity.js';
import { RefusedAttempt } from './history/refused-attempt.entity.js';
import { RefusedAttemptResolver } from './history/refused-attempt.resolver.js';
import { RefusedAttemptType } from './history/refused-attempt.types.js';
import { RefusedAttemptReader } from './history/refused-attempts.reader.js';
import { RewardGrant } from './history/reward-grant.entity.js';
import { composeRecovery } from './recovery/compose-recovery.js';
import { TombstoneMark } from './recovery/tombstone-mark.entity.js';
import { ConditionFactsReader } from './redeem/condition-facts.reader.js';
import { composeRedeeming } from './redeem/compose-redeeming.js';
import { redeemRoutes } from './redeem/redeem.routes.js';
import { RedemptionResolver } from './redeem/redemption.resolver.js';
import { CampaignReportResolver } from './reports/campaign-report.resolver.js';
import { composeReports } from './reports/compose-reports.js';
import { RedemptionSeriesCursor, RedemptionSeriesPoint } from './reports/redemption-series.entity.js';
import { RedemptionSeriesResolver } from './reports/redemption-series.resolver.js';
import { SERIES_CHECKS } from './reports/series.checks.js';
import { composeReversal } from './reversal/compose-reversal.js';
import { ReversalResolver } from './reversal/reversal.resolver.js';
import { RedemptionReversedEvent } from './reversal/reversal.types.js';
import { redemptionMetrics } from './redemption.metrics.js';
import { REDEEM_REFUSALS } from './redemption.errors.js';
import { RedemptionSettledEvent, RedemptionType } from './redemption.types.js';
import { REDEMPTION_PERMISSIONS } from './redemption.permissions.js';

interface Needs extends SettlementNeeds {
  readonly orm: MikroORM;
  readonly readOrm: MikroORM;
  readonly redisUrl: string;
  readonly ids: IdGenerator;
  readonly access: AccessService;
  readonly users: UserService;
  readonly userErasures: UserErasure[];
  readonly tenantEventLetters: TenantEventLetterService;
  readonly externalUserIds: ExternalUserIds;
  readonly lines: ProductLineService;
  readonly limits: RateLimitService;
  readonly failedAttempts: FailedAttemptService;
  readonly deferredOrders: { find: DeferredOrders };
  readonly redeemedOrders: { list: RedeemedOrders };
  readonly campaignReader: CampaignReader;
  readonly campaignConditions: CampaignConditions;
  readonly campaignPorts: CampaignPorts;
  readonly campaignNames: CampaignNames;
  readonly campaignRewards: CampaignRewards;
  readonly campaignBudgets: CampaignBudgets;
  readonly codeReader: CodeReader;
  readonly codeEndings: CodeEndings;
  readonly codeCounts: CodeCounts;
  readonly batchGate: BatchGate;
  readonly copies: CodeCopyService;
  readonly redigestWith: (fence: CodeFence) => CodeRedigest;
  readonly recognizer: CodeRecognizer;
}

const UserResolvers = [
  DeadLetterType,
  RedemptionType,
  RedemptionSettledEvent,
  RedemptionReversedEvent,
  RefusedAttemptType,
].map(externalUserIdOf);
const RedemptionCampaign = campaignNameOf(RedemptionType);

/**
 * Redeems codes exactly once: claim in Redis, commit in the database, confirm in Redis, and what recovers from faults.
 * Takes redemptions back.
 */
export const redemption = {
  name: 'redemption',
  entities: [
    Redemption,
    RewardGrant,
    RedemptionTotal,
    RefusedAttempt,
    TombstoneMark,
    RedemptionSeriesPoint,
    RedemptionSeriesCursor,
  ],
  resolvers: [
    RedemptionResolver,
    RedemptionEventsResolver,
    RedemptionReversalResolver,
    ReversalResolver,
    RedemptionSettledResolver,
    DeadLetterResolver,
    RefusedAttemptResolver,
    RedemptionSeriesResolver,
    CampaignReportResolver,
    ...UserResolvers,
    RedemptionCampaign,
    RedemptionCodeResolver,
  ],
  permissions: REDEMPTION_PERMISSIONS,
  checks: [...REDEMPTION_CHECKS, ...GRANT_CHECKS, ...SERIES_CHECKS],
  metrics: redemptionMetrics,
  compose: (its: Needs) => {
    const { config, orm, readOrm } = its;
    const settling = composeSettlement(its);
    const deferred = composeDeferred({ ...its, ...settling });
    const recovery = composeRecovery({ ...its, ...settling });
    const redemptionReader = new RedemptionReader(orm, config.STORE_TIMEOUT_MS, readOrm);
    const { users, codeReader: codes, codeEndings, campaignRewards: rewards } = its;
    const lists = { reader: redemptionReader, users, codes, rewards };
    its.userErasures.push(
      new RedemptionErasure(async (tenantId, ids) => deferred.pendingRedemptions.forget(tenantId, ids)),
    );
    const returnedUses = new ReturnedUsesRedis(its.redis, its.copies);
    const reversal = composeReversal({ ...its, redemptionReader, returnedUses });
    const attemptLog = new AttemptLog(its, config.ATTEMPT_LOG_PER_MINUTE);
    const reports = composeReports({ ...its, redemptionReader });
    const conditionFacts = new ConditionFactsReader(orm, its.users, its.orders);
    its.campaignPorts.readFacts = async (...asked) => conditionFacts.read(...asked);
    const attempts = new RefusedAttemptReader(readOrm, its.users, its.recognizer);
    const redeeming = composeRedeeming({
      ...its,
      ...settling,
      ...deferred,
      conditionFacts,
      redemptionReader,
      returnedUses,
      attemptLog,
      refusalCounter: reports.refusalCounter,
    });
    its.deferredOrders.find = async (tenantId, orderNo) =>
      deferred.pendingRedemptions.deferredOrder(tenantId, orderNo);
    its.redeemedOrders.list = async (actor, wanted, page) => listOrdersOf(lists, actor, wanted, page);
    return {
      services: {
        ...settling,
        ...deferred,
        ...recovery.services,
        ...redeeming,
        ...reversal.services,
        ...reports.services,
        redemptionReader,
        attemptLog,
        refusedAttempts: attempts,
        redemptionTotals: new Totals(its, REDEMPTION_TOTALS),
        redigest: its.redigestWith(new CodeFenceRedis(its.redis)),
        uniformRefusals: config.UNIFORM_REFUSALS,
        refusalMessages: REDEEM_REFUSALS,
      },
      resolvers: [
        new RedemptionResolver(redeeming.redemptions, redeeming.previews, lists),
        new RedemptionEventsResolver(),
        new RedemptionReversalResolver(),
        reversal.resolver,
        new RedemptionSettledResolver(config.UNIFORM_REFUSALS),
        new DeadLetterResolver(deferred.deadLetters),
        new RefusedAttemptResolver(attempts),
        ...reports.resolvers,
        ...UserResolvers.map((ofType) => new ofType(its.externalUserIds)),
        new RedemptionCampaign(its.campaignNames),
        new RedemptionCodeResolver(codeEndings),
      ],
      consumers: [...recovery.consumers, ...reversal.consumers, ...reports.consumers],
      routes: redeemRoutes({ redemptions: redeeming.redemptions, externalUserIds: its.externalUserIds }),
      jobs: [...recovery.jobs, ...deferredJobs(deferred, its.log), ...reports.jobs],
    };
  },
};

type Deferred = ReturnType<typeof composeDeferred>;

const MINUTE_MS = 60_000;

function deferredJobs({ pendingJobs, deadLetters }: Deferred, log: Needs['log']): Job[] {
  const redrive = async (): Promise<void> => {
    const redriven = await deadLetters.redriveOld();
    if (redriven > 0) log.warn({ redriven }, 'old dead letters are tried again');
  };
  return [
    { name: 'dead letters', everyMs: MINUTE_MS, where: 'IN_EACH', run: redrive },
    { name: 'deferred redemptions', start: () => pendingJobs.start(), stop: async () => pendingJobs.stop() },
  ];
}
