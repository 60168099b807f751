import type { Em } from '../../platform/database/orm.js';
import { isId, sortedIds, type Id, type IdGenerator } from '../../platform/ids.js';
import type {
  RewardApplication,
  RewardForecast,
  RewardHandler,
  RewardRefusal,
  RewardReversal,
  RewardSession,
  RewardTarget,
  ReversedReward,
  SpentRewards,
} from '../../rewards/reward-handler.js';
import type { RewardRule } from '../../rewards/reward-rule.js';
import { couponExpiry, templateRefusal } from './coupon-issue.js';
import { CouponRewardSession } from './coupon-reward.session.js';
import { reverseCoupons } from './coupon-reversal.js';
import { lockTemplates } from './coupon-rows.js';
import type { CouponTemplateService } from './coupon-template.service.js';

/** Gives coupons. */
export class CouponRewardHandler implements RewardHandler {
  readonly type = 'COUPON';

  constructor(
    private readonly ids: IdGenerator,
    private readonly templates: CouponTemplateService,
  ) {}

  async target(tenantId: string, { id }: RewardRule): Promise<RewardTarget | null> {
    const template = await this.templates.find(tenantId, id);
    return template && { unit: null, fault: null };
  }

  /** From templates as they were at most a second ago. */
  async precheck(
    tenantId: string,
    _userId: Id,
    rules: readonly RewardRule[],
    nowMs: number,
  ): Promise<RewardRefusal | null> {
    for (const [id, ofTemplate] of Map.groupBy(rules, (rule) => rule.id)) {
      const template = await this.templates.findCached(tenantId, id);
      const count = ofTemplate.reduce((sum, { quantity }) => sum + quantity, 0);
      if (template === null || templateRefusal(template, count, nowMs) !== null) return 'COUPON_NOT_ISSUABLE';
    }
    return null;
  }

  async forecast(
    tenantId: string,
    _userId: Id,
    rules: readonly RewardRule[],
    nowMs: number,
  ): Promise<RewardForecast[]> {
    return Promise.all(
      rules.map(async ({ id }) => {
        const template = await this.templates.findCached(tenantId, id);
        return { unit: null, expiresAt: template && couponExpiry(template, nowMs), hasEffect: true };
      }),
    );
  }

  async begin(em: Em, tenantId: string, applications: readonly RewardApplication[]): Promise<RewardSession> {
    const templateIds = sortedIds(applications.map(({ rule }) => rule.id).filter(isId));
    const templates = await lockTemplates(em, tenantId, templateIds);
    return new CouponRewardSession(em, tenantId, this.ids, templates, applications);
  }

  async reverse(
    em: Em,
    tenantId: string,
    reversals: readonly RewardReversal[],
    spent: SpentRewards,
    now: Date,
  ): Promise<ReversedReward[]> {
    return reverseCoupons(em, tenantId, this.ids, reversals, { spent, now });
  }

  /** No cache holds coupons. */
  async afterCommit(): Promise<void> {}
}
