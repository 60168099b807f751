import type { Em } from '../platform/database/orm.js';
import type { Id } from '../platform/ids.js';
import type { PlatformServices } from '../platform/platform-services.js';
import { isQuantity } from '../rewards/calendar.js';
import { readRewardRule } from '../rewards/reward-rule.js';
import type { TimeUnit } from '../rewards/time-unit.js';
import { subscriptionInvalidated } from './subscription-events.js';
import type { SubscriptionRewardHandler } from './subscription-reward.handler.js';

/** A plan that a new user gets for a while, without a code and without an order. */
export interface Trial {
  /** What the subscription names as its order. */
  readonly trialId: Id;
  readonly userId: Id;
  readonly planId: Id;
  readonly unit: TimeUnit;
  readonly quantity: number;
}

/** What the sign-up of users has to do with plans. Every method but the last works inside the caller's transaction. */
export class TrialService {
  constructor(
    private readonly handler: SubscriptionRewardHandler,
    private readonly outbox: PlatformServices['outbox'],
  ) {}

  /**
   * Gives a trial by the session that also gives the rewards of redemptions.
   * @returns the subscription; null where the plan cannot be given
   */
  async giveTrial(em: Em, tenantId: string, trial: Trial, now: Date): Promise<Id | null> {
    const { trialId, userId, planId, unit, quantity } = trial;
    if (!isQuantity(unit, quantity)) return null;
    const rule = readRewardRule({
      type: 'SUBSCRIPTION',
      id: planId,
      unit,
      quantity,
      value: '0',
      condition: null,
    });
    const names = { redemptionId: trialId, orderId: trialId, rewardNo: 0, userId };
    const application = { ...names, rule, claimedAtMs: now.getTime() };
    const session = await this.handler.begin(em, tenantId, [application]);
    if (session.refusal(application) !== null) return null;
    const { targetId } = session.apply(application);
    await session.flush();
    this.outbox.append(em, tenantId, [subscriptionInvalidated({ id: targetId, userId, planId })]);
    return targetId;
  }

  /** The most devices that the plans of the user's running subscriptions allow; 0 means any number. */
  async deviceLimit(em: Em, tenantId: string, userId: Id, now: Date): Promise<number> {
    const [row] = await em.execute<{ least: number | null; most: number | null }[]>(
      `select min(plan.device_limit) as least, max(plan.device_limit) as most
         from subscription s force index (ix_subscription__user_plan)
         join plan on plan.tenant_id = s.tenant_id and plan.id = s.plan_id
        where s.tenant_id = ? and s.user_id = ? and s.status = 'ACTIVE'
          and (s.expires_at is null or s.expires_at > ?)`,
      [tenantId, userId, now],
    );
    return row?.least ? (row.most ?? 0) : 0;
  }

  /** Whether the user has a subscription that has not ended, also one whose traffic is used up. */
  async isSubscribed(em: Em, tenantId: string, userId: Id, now: Date): Promise<boolean> {
    const rows = await em.execute<unknown[]>(
      `select 1 from subscription force index (ix_subscription__user_plan)
        where tenant_id = ? and user_id = ? and status in ('PENDING', 'ACTIVE', 'FINISHED')
          and (expires_at is null or expires_at > ?) limit 1`,
      [tenantId, userId, now],
    );
    return rows.length > 0;
  }

  /** After the commit: drops what caches hold. Never throws. */
  async trialGiven(tenantId: string, { userId, planId }: Pick<Trial, 'userId' | 'planId'>): Promise<void> {
    await this.handler.afterCommit(tenantId, [{ userId, sourceId: planId }]);
  }
}
