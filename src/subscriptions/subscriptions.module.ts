import type { AccessService } from '../identity/access.service.js';
import {
  externalUserIdOf,
  type ExternalUserIds,
  type IdentityPorts,
  type UserHolding,
} from '../identity/identity.module.js';
import type { UserService } from '../identity/users/user.service.js';
import type { TokenService } from '../identity/token.service.js';
import type { PublishedEvent } from '../platform/outbox/published-event.js';
import type { PlatformServices } from '../platform/platform-services.js';
import type { RewardHandler } from '../rewards/reward-handler.js';
import type { RewardType } from '../rewards/reward-rule.js';
import { NodeResolver } from './nodes/node.resolver.js';
import { NodeService } from './nodes/node.service.js';
import { NodeUsersResolver } from './nodes/node-users.resolver.js';
import { NodeUsersService } from './nodes/node-users.service.js';
import { PlanUsersCache } from './nodes/plan-users.redis.js';
import { SubscriptionNode } from './nodes/subscription-node.entity.js';
import { SubscriptionNodesService } from './nodes/subscription-nodes.service.js';
import { Plan } from './plan.entity.js';
import { PlanResolver } from './plan.resolver.js';
import { PlanSaleService } from './plan-sale.service.js';
import { PlanService } from './plan.service.js';
import { SubscriptionCache } from './subscription-cache.redis.js';
import { changedBy, runningInvalidated, SUBSCRIPTION_EVENTS } from './subscription-events.js';
import { SubscriptionEventsResolver } from './subscription-events.resolver.js';
import { SubscriptionRewardHandler } from './subscription-reward.handler.js';
import { Subscription } from './subscription.entity.js';
import { SubscriptionResolver } from './subscription.resolver.js';
import { SubscriptionList } from './subscription-list.js';
import { SubscriptionListResolver } from './subscription-list.resolver.js';
import { StaffSubscriptionType } from './subscription-list.types.js';
import { SubscriptionService } from './subscription.service.js';
import { SubscriptionInvalidatedEvent } from './subscription.types.js';
import { SubscriptionJobs } from './subscriptions.jobs.js';
import { SUBSCRIPTION_PERMISSIONS } from './subscriptions.permissions.js';
import { TrialService } from './trial.service.js';

interface Needs extends Pick<
  PlatformServices,
  'orm' | 'readOrm' | 'redis' | 'clock' | 'ids' | 'transactions' | 'outbox' | 'log'
> {
  readonly users: UserService;
  readonly externalUserIds: ExternalUserIds;
  readonly tokens: TokenService;
  readonly access: AccessService;
  readonly identityPorts: IdentityPorts;
  readonly userHoldings: UserHolding[];
  readonly handlers: Map<RewardType, RewardHandler>;
}

const SWEEP_EVERY_MS = 60_000;
const EventUser = externalUserIdOf(SubscriptionInvalidatedEvent);
const ListUser = externalUserIdOf(StaffSubscriptionType);

/** Plans, and what users hold of them. */
export const subscriptions = {
  name: 'subscriptions',
  entities: [Plan, Subscription, SubscriptionNode],
  resolvers: [
    PlanResolver,
    SubscriptionResolver,
    SubscriptionListResolver,
    ListUser,
    SubscriptionEventsResolver,
    EventUser,
    NodeResolver,
    NodeUsersResolver,
  ],
  permissions: SUBSCRIPTION_PERMISSIONS,
  compose: (its: Needs) => {
    const { orm, readOrm, ids, clock, transactions, outbox, log } = its;
    const plans = new PlanService(its);
    const cache = new SubscriptionCache(its.redis);
    const service = new SubscriptionService(readOrm, cache, clock);
    const nodes = new NodeService(its);
    Object.assign(its.identityPorts, {
      findNodes: async (tenantId, nodeIds) => nodes.existing(tenantId, nodeIds),
      // For the nodes, which let in subscriptions of active users only.
      userStatusChanged: async (em, tenantId, userId) =>
        outbox.append(em, tenantId, await runningInvalidated(em, userId)),
    } satisfies IdentityPorts);
    const openedNodes = new SubscriptionNodesService(readOrm, service);
    const nodeUsers = new NodeUsersService({ readOrm, cache: new PlanUsersCache(its.redis), clock });
    const rewards = new SubscriptionRewardHandler({ orm, ids, plans, cache, log });
    its.handlers.set(rewards.type, rewards);
    const trials = new TrialService(rewards, outbox);
    its.userHoldings.push({
      name: 'a subscription',
      isHeld: async (em, tenantId, userId, now) => trials.isSubscribed(em, tenantId, userId, now),
    });
    const subscriptionJobs = new SubscriptionJobs({ transactions, cache, outbox, clock, log });
    const dropCached = async (tenantId: string, events: readonly PublishedEvent[]): Promise<void> =>
      cache.drop(tenantId, changedBy(events));
    const sweep = async (): Promise<void> => {
      const moved = await subscriptionJobs.sweepSubscriptions();
      if (moved > 0) log.info({ moved }, 'subscriptions ended');
    };
    return {
      services: {
        plans,
        planSales: new PlanSaleService(rewards, outbox),
        trials,
        subscriptions: service,
        subscriptionJobs,
        nodes,
        openedNodes,
        nodeUsers,
      },
      resolvers: [
        new PlanResolver(plans),
        new SubscriptionResolver(service, plans),
        new SubscriptionListResolver(new SubscriptionList(its), plans),
        new ListUser(its.externalUserIds),
        new SubscriptionEventsResolver(),
        new EventUser(its.externalUserIds),
        new NodeResolver(nodes),
        new NodeUsersResolver(openedNodes, nodeUsers),
      ],
      consumers: [
        { name: 'subscription_cache', types: SUBSCRIPTION_EVENTS, handle: dropCached, isBeforePush: true },
      ],
      jobs: [{ name: 'sweep-subscriptions', everyMs: SWEEP_EVERY_MS, where: 'IN_ONE' as const, run: sweep }],
    };
  },
};
