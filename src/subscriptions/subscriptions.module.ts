import { externalUserIdOf, type ExternalUserIds } from '../identity/identity.module.js';
import type { PublishedEvent } from '../platform/outbox/published-event.js';
import type { PlatformServices } from '../platform/platform-services.js';
import type { RewardHandler } from '../rewards/reward-handler.js';
import type { RewardType } from '../rewards/reward-rule.js';
import { Plan } from './plan.entity.js';
import { PlanResolver } from './plan.resolver.js';
import { PlanService } from './plan.service.js';
import { SubscriptionCache } from './subscription-cache.redis.js';
import { invalidatedBy, SUBSCRIPTION_EVENTS } from './subscription-events.js';
import { SubscriptionEventsResolver } from './subscription-events.resolver.js';
import { SubscriptionRewardHandler } from './subscription-reward.handler.js';
import { Subscription } from './subscription.entity.js';
import { SubscriptionResolver } from './subscription.resolver.js';
import { SubscriptionService } from './subscription.service.js';
import { SubscriptionInvalidatedEvent } from './subscription.types.js';
import { SubscriptionJobs } from './subscriptions.jobs.js';

interface Needs extends Pick<
  PlatformServices,
  'orm' | 'readOrm' | 'redis' | 'clock' | 'ids' | 'transactions' | 'outbox' | 'log'
> {
  readonly externalUserIds: ExternalUserIds;
  readonly handlers: Map<RewardType, RewardHandler>;
}

const SWEEP_EVERY_MS = 60_000;
const EventUser = externalUserIdOf(SubscriptionInvalidatedEvent);

/** Plans, and what users hold of them. */
export const subscriptions = {
  name: 'subscriptions',
  entities: [Plan, Subscription],
  resolvers: [PlanResolver, SubscriptionResolver, SubscriptionEventsResolver, EventUser],
  compose: (its: Needs) => {
    const { orm, readOrm, ids, clock, transactions, outbox, log } = its;
    const plans = new PlanService(its);
    const cache = new SubscriptionCache(its.redis);
    const service = new SubscriptionService(readOrm, cache, clock);
    const rewards = new SubscriptionRewardHandler({ orm, ids, plans, cache, log });
    its.handlers.set(rewards.type, rewards);
    const subscriptionJobs = new SubscriptionJobs({ transactions, cache, outbox, clock, log });
    const dropCached = async (tenantId: string, events: readonly PublishedEvent[]): Promise<void> => {
      const concerned = events.filter((event) => invalidatedBy(event).length > 0);
      const userIds = new Set(concerned.map(({ userId }) => userId).filter((userId) => userId !== null));
      await cache.drop(tenantId, [...userIds]);
    };
    const sweep = async (): Promise<void> => {
      const moved = await subscriptionJobs.sweepSubscriptions();
      if (moved > 0) log.info({ moved }, 'subscriptions ended');
    };
    return {
      services: { plans, subscriptions: service, subscriptionJobs },
      resolvers: [
        new PlanResolver(plans),
        new SubscriptionResolver(service, plans),
        new SubscriptionEventsResolver(),
        new EventUser(its.externalUserIds),
      ],
      consumers: [
        { name: 'subscription_cache', types: SUBSCRIPTION_EVENTS, handle: dropCached, isBeforePush: true },
      ],
      jobs: [{ name: 'sweep-subscriptions', everyMs: SWEEP_EVERY_MS, where: 'IN_ONE' as const, run: sweep }],
    };
  },
};
