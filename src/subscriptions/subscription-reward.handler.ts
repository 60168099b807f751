import { present } from '../platform/assert.js';
import { isId, sortedIds, type Id } from '../platform/ids.js';
import { tenantEm, type Em } from '../platform/database/orm.js';
import type { PlatformServices } from '../platform/platform-services.js';
import type {
  GivenReward,
  ReversedReward,
  RewardApplication,
  RewardForecast,
  RewardHandler,
  RewardRefusal,
  RewardSession,
  RewardReversal,
  RewardTarget,
  SpentRewards,
} from '../rewards/reward-handler.js';
import type { RewardRule } from '../rewards/reward-rule.js';
import type { Plan } from './plan.entity.js';
import type { PlanService } from './plan.service.js';
import type { SubscriptionCache } from './subscription-cache.redis.js';
import {
  extendable,
  extended,
  grantRefusal,
  hasEffect,
  started,
  type SubscriptionState,
} from './subscription-grant.js';
import { loadStates, lockPlans } from './subscription-rows.js';
import { SubscriptionReversal } from './subscription-reversal.js';
import { SubscriptionRewardSession } from './subscription-reward.session.js';

export interface SubscriptionRewardParts extends Pick<PlatformServices, 'orm' | 'ids' | 'log'> {
  readonly plans: PlanService;
  readonly cache: SubscriptionCache;
}

/** Gives subscription plans. */
export class SubscriptionRewardHandler implements RewardHandler {
  readonly type = 'SUBSCRIPTION';

  constructor(private readonly parts: SubscriptionRewardParts) {}

  async target(tenantId: string, { id }: RewardRule): Promise<RewardTarget | null> {
    const plan = await this.parts.plans.asTarget(tenantId, id);
    return plan && { ...plan, fault: null };
  }

  async precheck(
    tenantId: string,
    userId: Id,
    rules: readonly RewardRule[],
    nowMs: number,
  ): Promise<RewardRefusal | null> {
    const plans = await this.plansOf(tenantId, rules);
    const isForEver = ({ id, unit }: RewardRule): boolean => (unit ?? plans.get(id)?.unitTime) === 'NO_LIMIT';
    const forEver = new Set(rules.filter(isForEver).map(({ id }) => id));
    // Only a quota, an empty inventory, or what is given or held for ever makes it matter what the user holds.
    const asked = [...plans.values()].filter(
      ({ id, quotaPerUser, inventory, heldForEver }) =>
        quotaPerUser > 0 || inventory === 0 || heldForEver || forEver.has(id),
    );
    const held =
      asked.length === 0
        ? []
        : await this.heldBy(
            tenantId,
            userId,
            asked.map((plan) => plan.id),
          );
    for (const { id } of rules) {
      const refusal = grantRefusal(plans.get(id), heldOf(held, userId, id), nowMs);
      if (refusal !== null) return refusal;
    }
    const isIdle = rules.every((rule) => {
      const plan = plans.get(rule.id);
      return plan !== undefined && !hasEffect(plan, heldOf(held, userId, rule.id), rule, nowMs);
    });
    return isIdle ? 'REWARD_HAS_NO_EFFECT' : null;
  }

  async forecast(
    tenantId: string,
    userId: Id,
    rules: readonly RewardRule[],
    nowMs: number,
  ): Promise<RewardForecast[]> {
    const plans = await this.plansOf(tenantId, rules);
    let states = await this.heldBy(tenantId, userId, [...plans.keys()]);
    return rules.map((rule) => {
      const plan = present(plans.get(rule.id), 'The plan of a reward');
      const current = extendable(heldOf(states, userId, plan.id), nowMs);
      const isChange = hasEffect(plan, heldOf(states, userId, plan.id), rule, nowMs);
      const next =
        current === undefined
          ? started(this.parts.ids.next(), userId, plan, rule, nowMs)
          : extended(current, plan, rule, nowMs);
      // The next rule of the same plan extends what this one made.
      states = [...states.filter(({ id }) => id !== next.id), next];
      const { expiresAtMs } = next;
      return {
        unit: rule.unit ?? plan.unitTime,
        expiresAt: expiresAtMs === null ? null : new Date(expiresAtMs),
        hasEffect: isChange,
      };
    });
  }

  async begin(em: Em, tenantId: string, applications: readonly RewardApplication[]): Promise<RewardSession> {
    const userIds = sortedIds(applications.map((application) => application.userId));
    const planIds = planIdsOf(applications.map((application) => application.rule));
    const [states, plans] = await Promise.all([
      loadStates(em, tenantId, userIds, planIds, 'for update'),
      lockPlans(em, tenantId, planIds, this.mayWritePlan(tenantId, applications)),
    ]);
    return new SubscriptionRewardSession(em, tenantId, this.parts.ids, plans, states);
  }

  async reverse(
    em: Em,
    tenantId: string,
    reversals: readonly RewardReversal[],
    spent: SpentRewards,
    now: Date,
  ): Promise<ReversedReward[]> {
    return new SubscriptionReversal(em, tenantId, spent, now).run(reversals);
  }

  async afterCommit(tenantId: string, given: readonly GivenReward[]): Promise<void> {
    try {
      const changed = given.map(({ userId, sourceId }) => ({ userId, planId: sourceId }));
      await this.parts.cache.drop(tenantId, changed);
    } catch (error) {
      // The copies then live until their time is up, unless the event in the outbox has them dropped before.
      this.parts.log.warn({ err: error, tenantId }, 'Cached subscriptions could not be dropped.');
    }
  }

  /** As they were at most a second ago; what is not there is missing. */
  private async plansOf(tenantId: string, rules: readonly RewardRule[]): Promise<Map<Id, Plan>> {
    const planIds = planIdsOf(rules);
    const found = await Promise.all(planIds.map((planId) => this.parts.plans.find(tenantId, planId)));
    return new Map(found.filter((plan) => plan !== null).map((plan) => [plan.id, plan]));
  }

  private async heldBy(tenantId: string, userId: Id, planIds: readonly Id[]): Promise<SubscriptionState[]> {
    return loadStates(tenantEm(this.parts.orm, tenantId), tenantId, [userId], planIds, '');
  }

  /**
   * Whether plan rows have to be locked for writing at once, to take inventory or to note that one is held for ever. Two
   * transactions that both hold a shared lock and both want to write would deadlock. A plan that the cache does not
   * know counts as one with an inventory; one that changed a moment ago costs a deadlock at worst, and the transaction
   * runs again.
   */
  private mayWritePlan(tenantId: string, applications: readonly RewardApplication[]): boolean {
    return applications.some(({ rule }) => {
      const plan = isId(rule.id) ? this.parts.plans.peek(tenantId, rule.id) : undefined;
      if (plan?.inventory !== -1) return true;
      return !plan.heldForEver && (rule.unit ?? plan.unitTime) === 'NO_LIMIT';
    });
  }
}

/** What cannot be an id names no plan, and must not reach the database: it would be compared as the number 0. */
function planIdsOf(rules: readonly RewardRule[]): Id[] {
  return sortedIds(rules.map((rule) => rule.id).filter(isId));
}

function heldOf(states: readonly SubscriptionState[], userId: Id, planId: Id): SubscriptionState[] {
  return states.filter((state) => state.userId === userId && state.planId === planId);
}
