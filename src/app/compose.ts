import 'reflect-metadata';
import { BatchResolver } from '../codes/batch.resolver.js';
import { CampaignResolver } from '../campaigns/campaign.resolver.js';
import { CodeResolver } from '../codes/code.resolver.js';
import { OrderResolver } from '../orders/orders/order.resolver.js';
import { PlanResolver } from '../subscriptions/plan.resolver.js';
import { ProductLineResolver } from '../tenancy/product-line.resolver.js';
import { DeadLetterResolver } from '../redemption/deferred/dead-letter.resolver.js';
import { RedemptionEventsResolver } from '../redemption/history/redemption-events.resolver.js';
import { RedemptionSettledResolver } from '../redemption/history/redemption-settled.resolver.js';
import { RedemptionResolver } from '../redemption/redeem/redemption.resolver.js';
import { SubscriptionEventsResolver } from '../subscriptions/subscription-events.resolver.js';
import { SubscriptionResolver } from '../subscriptions/subscription.resolver.js';
import { TenantResolver } from '../tenancy/tenant.resolver.js';
import { ExternalUserIds } from '../identity/users/external-user-ids.js';
import { UserResolver } from '../identity/users/user.resolver.js';
import { ViewerResolver } from '../identity/users/viewer.resolver.js';
import { present } from '../platform/assert.js';
import { CampaignChangeService } from '../campaigns/campaign-change.service.js';
import { Campaign } from '../campaigns/campaign.entity.js';
import { CampaignReader } from '../campaigns/campaign-reader.service.js';
import { CampaignRuleChecks, type RewardTargets } from '../campaigns/campaign-rule-checks.js';
import { CampaignService } from '../campaigns/campaign.service.js';
import { BatchChangeService } from '../codes/batch-change.service.js';
import { CodeChangeService } from '../codes/code-change.service.js';
import { BatchGate } from '../codes/batch-gate.service.js';
import { ShownCodes } from '../codes/shown-codes.redis.js';
import { CodeReader } from '../codes/code-reader.service.js';
import { EffectiveStatusService } from '../codes/effective-status.service.js';
import { CampaignLaunchService } from '../codes/campaign-launch.service.js';
import { CodeCopyRedis } from '../codes/code-copy.redis.js';
import { CodeCopyService } from '../codes/code-copy.service.js';
import { CodeDigester, type PepperKey } from '../codes/code-digester.js';
import { CodeGenerationService } from '../codes/code-generation.service.js';
import { CodeIssuer } from '../codes/code-issuer.js';
import { CodeRecognizer } from '../codes/code-recognizer.service.js';
import { CodeRefresh } from '../codes/code-refresh.js';
import { CodeRedigest } from '../codes/code-redigest.service.js';
import { PepperRegistry } from '../codes/pepper-registry.js';
import { assertSpace } from '../codes/code-space.js';
import { formatOf } from '../codes/code-format.js';
import type { Config } from '../config.js';
import { AccessService } from '../identity/access.service.js';
import { TokenService } from '../identity/token.service.js';
import { UserChangeService } from '../identity/users/user-change.service.js';
import { UserService } from '../identity/users/user.service.js';
import { RateLimitService } from '../limits/rate-limit.service.js';
import { OrderService, type PromisedOrders } from '../orders/orders/order.service.js';
import { WorkShares } from '../transport/work-shares.js';
import { systemClock } from '../platform/clock.js';
import { IdGenerator } from '../platform/ids.js';
import type { Logger } from '../platform/observability/log.js';
import { createMetrics } from '../platform/observability/metrics.js';
import { Transactions } from '../platform/database/transaction.js';
import { Outbox } from '../platform/outbox/outbox.js';
import { EventFeed } from '../platform/outbox/event-feed.js';
import { OutboxStore } from '../platform/outbox/outbox-store.js';
import { sharedAnswer } from '../platform/scheduling/shared-answer.js';
import { within } from '../platform/scheduling/timeout.js';
import { OutboxReader } from '../platform/outbox/outbox-reader.js';
import { EventBus } from '../platform/push/event-bus.js';
import { OutboxRelay } from '../platform/outbox/outbox-relay.js';
import { OutboxWake } from '../platform/outbox/outbox-wake.js';
import { AttemptPreparation } from '../redemption/redeem/eligibility.service.js';
import { CodeFenceRedis } from '../redemption/claim/code-fence.redis.js';
import { CodeLoader } from '../redemption/claim/code-loader.js';
import { CodeClaimer } from '../redemption/claim/code-claimer.js';
import { RedemptionPreviewService } from '../redemption/redeem/redemption-preview.service.js';
import { RedemptionReader } from '../redemption/history/redemption-reader.js';
import { REDEEM_REFUSALS } from '../redemption/redemption.errors.js';
import { RedemptionService } from '../redemption/redeem/redemption.service.js';
import type { RewardHandlers } from '../redemption/commit/reward-batch.js';
import { ReconciliationResolver } from '../reconciliation/reconciliation.resolver.js';
import { composeReconciliation } from './reconciliation-parts.js';
import { composePending, composeSettlement } from './settlement-parts.js';
import { externalUserIdResolvers, type ResolverContainer } from './schema.js';
import type { Stores } from './stores.js';
import { PlanChangeService } from '../subscriptions/plan-change.service.js';
import { PlanService } from '../subscriptions/plan.service.js';
import { SubscriptionCache } from '../subscriptions/subscription-cache.redis.js';
import { SubscriptionRewardHandler } from '../subscriptions/subscription-reward.handler.js';
import { SubscriptionJobs } from '../subscriptions/subscriptions.jobs.js';
import { SubscriptionService } from '../subscriptions/subscription.service.js';
import { ProductLineChangeService } from '../tenancy/product-line-change.service.js';
import { ProductLineService } from '../tenancy/product-line.service.js';
import { TenantChangeService } from '../tenancy/tenant-change.service.js';
import { TenantService } from '../tenancy/tenant.service.js';

/** What the services need from the configuration; secrets are settled by now. */
export interface AppSettings {
  readonly config: Config;
  readonly jwtSecret: string;
  /** The peppers that codes are looked up by, the current one first. */
  readonly codePeppers: readonly PepperKey[];
}

export type Services = ReturnType<typeof composeServices>;

/** Builds every service of a process, once. The only place where services are constructed. */
export function composeServices(stores: Stores, settings: AppSettings, log: Logger) {
  const { config } = settings;
  const platform = composePlatform(stores, config, log);
  const identity = composeIdentity(stores, settings, platform);
  const subscriptions = composeSubscriptions(stores, config, platform, log);
  const codes = composeCodes(stores, settings, { ...platform, ...identity, ...subscriptions }, log);
  const redemption = composeRedemption(
    stores,
    config,
    { ...platform, ...identity, ...subscriptions, ...codes },
    log,
  );
  const its = { ...platform, ...identity, ...codes, ...redemption };
  const reconciliation = composeReconciliation(stores, settings.config, its, log);
  return { ...platform, ...identity, ...subscriptions, ...codes, ...redemption, ...reconciliation };
}

/** Resolvers by class, as type-graphql asks for them. */
export function resolverContainer(services: Services): ResolverContainer {
  const { campaignChanges, campaignReader, codeReader, redemptionReader, pendingRedemptions } = services;
  const promisedOrders: PromisedOrders = async (tenantId, orderNo) =>
    pendingRedemptions.promisedOrder(tenantId, orderNo);
  const instances = new Map<unknown, object>([
    [BatchResolver, new BatchResolver(services.generation, services.batchChanges, codeReader)],
    [CampaignResolver, new CampaignResolver(services.launches, campaignChanges, campaignReader)],
    [CodeResolver, new CodeResolver(services.codeChanges, codeReader)],
    [DeadLetterResolver, new DeadLetterResolver(services.deadLetters)],
    [OrderResolver, new OrderResolver(services.orders, promisedOrders)],
    [PlanResolver, new PlanResolver(services.plans, services.planChanges)],
    [ProductLineResolver, new ProductLineResolver(services.lines, services.lineChanges)],
    [ReconciliationResolver, new ReconciliationResolver(services.reports)],
    [RedemptionEventsResolver, new RedemptionEventsResolver()],
    [
      RedemptionResolver,
      new RedemptionResolver(services.redemptions, services.previews, redemptionReader, services.users),
    ],
    [RedemptionSettledResolver, new RedemptionSettledResolver(services.uniformRefusals)],
    [SubscriptionEventsResolver, new SubscriptionEventsResolver()],
    [SubscriptionResolver, new SubscriptionResolver(services.subscriptions, services.plans)],
    [TenantResolver, new TenantResolver(services.tenants, services.tenantChanges)],
    [UserResolver, new UserResolver(services.users, services.userChanges)],
    [ViewerResolver, new ViewerResolver(services.tenants, services.users)],
    ...externalUserIdResolvers.map((its): [unknown, object] => [its, new its(services.externalUserIds)]),
  ]);
  return { get: (resolver: unknown) => present(instances.get(resolver), 'The resolver') };
}

function composePlatform(stores: Stores, config: Config, log: Logger) {
  const clock = systemClock;
  const shares = new WorkShares({
    // Two connections are left to those who catch up with events.
    reads: config.READ_POOL_SIZE - 2,
    // Changes share theirs with redemptions.
    writes: Math.floor(config.DATABASE_POOL_SIZE / 2),
  });
  const ids = new IdGenerator(clock, () => stores.node.lease());
  const transactions = new Transactions(stores.orm, { log });
  const outbox = new Outbox(ids, clock);
  const outboxStore = new OutboxStore(stores.readOrm, transactions);
  // A count that outlasts the wait of a scrape is waited for by the next ones, not begun again.
  const countPending = sharedAnswer(async () => outboxStore.countPending());
  const metrics = createMetrics({
    withProcess: true,
    countOutboxPending: async () => within(config.STORE_TIMEOUT_MS, 'database', countPending()),
  });
  const bus = new EventBus(stores.redis, stores.listener, log);
  const reader = new OutboxReader(stores.readOrm, config.STORE_TIMEOUT_MS);
  const feed = new EventFeed(bus, reader);
  const relay = new OutboxRelay({
    orm: stores.orm,
    log,
    publish: async (e) => feed.publish(e),
    metrics,
  });
  const wake = new OutboxWake(stores.redis, stores.listener, relay);
  return { clock, metrics, shares, ids, transactions, outbox, bus, feed, relay, wake };
}

type Platform = ReturnType<typeof composePlatform>;

function composeIdentity(stores: Stores, settings: AppSettings, { ids, clock, transactions }: Platform) {
  const tokens = new TokenService(tokenSecrets(settings), clock);
  const users = new UserService(stores.orm, ids, clock, tokens, stores.readOrm);
  const externalUserIds = new ExternalUserIds(stores.orm);
  const tenants = new TenantService(stores.orm, clock, stores.readOrm);
  const lines = new ProductLineService(stores.orm, clock, stores.readOrm);
  const access = new AccessService(stores.orm, settings.config.STORE_TIMEOUT_MS);
  const tenantChanges = new TenantChangeService(transactions, tenants, {
    renamed: async (em, tenantId, tenantName) => {
      await em.nativeUpdate(Campaign, { tenantId }, { tenantName });
    },
    changed: (tenantId) => access.changed({ tenantId }),
  });
  const lineChanges = new ProductLineChangeService(transactions, lines);
  const userChanges = new UserChangeService(transactions, access);
  return { tokens, access, externalUserIds, users, userChanges, tenants, tenantChanges, lines, lineChanges };
}

type Identity = ReturnType<typeof composeIdentity>;

/** The present secret signs; the one before it still verifies, until its tokens have run out. */
function tokenSecrets({ jwtSecret, config }: AppSettings): [string, ...string[]] {
  return config.JWT_SECRET_PREVIOUS === undefined ? [jwtSecret] : [jwtSecret, config.JWT_SECRET_PREVIOUS];
}

function composeSubscriptions(
  { orm, readOrm, redis }: Stores,
  config: Config,
  { ids, clock, transactions, outbox }: Platform,
  log: Logger,
) {
  const plans = new PlanService(orm, ids, clock, readOrm);
  const planChanges = new PlanChangeService(transactions, plans);
  const cache = new SubscriptionCache(redis);
  const subscriptions = new SubscriptionService(readOrm, cache, clock);
  const rewards = new SubscriptionRewardHandler({ orm, ids, plans, cache, log });
  const subscriptionJobs = new SubscriptionJobs({ transactions, cache, outbox, clock, log });
  const orders = new OrderService(orm, config.STORE_TIMEOUT_MS, readOrm);
  const handlers: RewardHandlers = new Map([[rewards.type, rewards]]);
  return { plans, planChanges, subscriptions, subscriptionJobs, orders, handlers };
}

type Subscriptions = ReturnType<typeof composeSubscriptions>;

function composeCodes(
  { orm, readOrm, redis }: Stores,
  { config, codePeppers }: AppSettings,
  its: Platform & Identity & Subscriptions,
  log: Logger,
) {
  const { ids, clock, transactions, outbox, tenants, plans } = its;
  const copies = new CodeCopyService(new CodeCopyRedis(redis, config.CODE_COPY_TTL_S * 1000));
  const digester = new CodeDigester(codePeppers);
  const recognizer = new CodeRecognizer(orm, digester);
  const refresh = new CodeRefresh(copies, log);
  const campaignReader = new CampaignReader(orm, readOrm);
  const rewardTargets: RewardTargets = {
    find: async (tenantId, type, id) => (type === 'SUBSCRIPTION' ? plans.asTarget(tenantId, id) : null),
  };
  const ruleChecks = new CampaignRuleChecks(rewardTargets, its.lines, (rule, count) =>
    assertSpace(formatOf(rule), count),
  );
  const batchChanges = new BatchChangeService(transactions, clock, outbox, tenants, refresh);
  const campaignChanges = new CampaignChangeService({
    transactions,
    clock,
    outbox,
    ruleChecks,
    codes: batchChanges,
    copies: { changed: async (tenantId) => refresh.added(tenantId) },
  });
  const campaigns = new CampaignService({ orm, transactions, ids, clock, outbox, tenants, ruleChecks });
  const issuer = new CodeIssuer(ids, clock, outbox, tenants, digester);
  const onGenerated = (campaignId: string, count: number): void => {
    its.metrics.codesGenerated.inc({ campaign: its.metrics.campaignLabel(campaignId) }, count);
  };
  const shown = new ShownCodes(redis, digester, config.HASHED_CODES_FETCH_S, log);
  const generation = new CodeGenerationService({
    shown,
    orm,
    transactions,
    issuer,
    tenants,
    refresh,
    onGenerated,
  });
  const launches = new CampaignLaunchService(orm, campaigns, generation);
  const codeChanges = new CodeChangeService({ transactions, clock, outbox, tenants, refresh });
  const codeReader = new CodeReader(readOrm, new EffectiveStatusService(readOrm), recognizer);
  const batchGate = new BatchGate(orm);
  const peppers = new PepperRegistry(orm, log);
  const fence = new CodeFenceRedis(redis);
  const redigest = new CodeRedigest({ orm, transactions, digester, peppers, copies, fence });
  return {
    redigest,
    copies,
    recognizer,
    campaignReader,
    campaignChanges,
    campaigns,
    generation,
    launches,
    codeChanges,
    batchChanges,
    codeReader,
    batchGate,
  };
}

type Codes = ReturnType<typeof composeCodes>;

function composeRedemption(
  stores: Stores,
  config: Config,
  its: Platform & Identity & Subscriptions & Codes,
  log: Logger,
) {
  const { orm, readOrm } = stores;
  const { ids, metrics } = its;
  const settling = composeSettlement(stores, config, its, log);
  const { redemptionRedis, settlement } = settling;
  const limits = new RateLimitService({
    hour: config.RATE_LIMIT_DEFAULT_HOUR,
    day: config.RATE_LIMIT_DEFAULT_DAY,
  });
  const timeoutMs = config.STORE_TIMEOUT_MS;
  const loader = new CodeLoader(orm, its.copies, timeoutMs);
  const preparation = new AttemptPreparation({ ...its, limits, loader, campaigns: its.campaignReader });
  const reader = new RedemptionReader(orm, timeoutMs, readOrm);
  const uniformRefusals = config.UNIFORM_REFUSALS;
  const pending = composePending(stores, config, { redemptionRedis, settlement, metrics }, log);
  const redemptions = new RedemptionService(
    ids,
    redemptionRedis,
    preparation,
    new CodeClaimer(redemptionRedis, preparation, settlement, settling.heldUses, timeoutMs),
    reader,
    settlement,
    pending.pendingRedemptions,
    metrics,
    { uniformRefusals, storeTimeoutMs: timeoutMs, replyWithinMs: config.REPLY_WITHIN_MS },
  );
  const previews = new RedemptionPreviewService(
    orm,
    ids,
    redemptionRedis,
    preparation,
    reader,
    its.handlers,
    settling.heldUses,
    { uniformRefusals, timeoutMs },
  );
  return {
    limits,
    redemptionReader: reader,
    ...settling,
    redemptions,
    previews,
    uniformRefusals,
    refusalMessages: REDEEM_REFUSALS,
    ...pending,
  };
}
