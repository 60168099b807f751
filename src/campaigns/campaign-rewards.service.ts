import type { MikroORM } from '@mikro-orm/core';
import { tenantEm } from '../platform/database/orm.js';
import { isId, type Id } from '../platform/ids.js';
import type { StoredRewardRule } from '../rewards/reward-rule.js';
import type { TimeUnit } from '../rewards/time-unit.js';
import type { RewardTargets } from './campaign-rule-checks.js';
import { Campaign } from './campaign.entity.js';

/** What lists of codes and redemptions are narrowed by: the plan that is given, and the unit in which. */
export interface RewardFilter {
  readonly planId?: Id | null;
  readonly unit?: TimeUnit | null;
}

/** A reward of a campaign, by its position in the rule. */
export interface RewardPlace {
  readonly campaignId: Id;
  readonly rewardNo: number;
}

/** Which campaigns give what. Rules change while a campaign is a draft only, so redemptions keep their places. */
export class CampaignRewards {
  /** @param readOrm where lists are read, which may take long */
  constructor(
    private readonly readOrm: MikroORM,
    private readonly targets: RewardTargets,
  ) {}

  /** The subscriptions given that fit the filter; null where it asks for nothing. */
  async places(tenantId: string, { planId, unit }: RewardFilter): Promise<readonly RewardPlace[] | null> {
    if (!planId && !unit) return null;
    if (planId && !isId(planId)) return [];
    const campaigns = await tenantEm(this.readOrm, tenantId).find(
      Campaign,
      {},
      { fields: ['id', 'rule'], disableIdentityMap: true },
    );
    const given = campaigns.flatMap(({ id, rule }) =>
      rule.rewardRules.map((reward, rewardNo) => ({ campaignId: id, rewardNo, reward })),
    );
    const ofPlan = given.filter(
      ({ reward }) => reward.type === 'SUBSCRIPTION' && (!planId || reward.id === planId),
    );
    if (!unit) return ofPlan;
    const units = await this.unitsOf(
      tenantId,
      ofPlan.map(({ reward }) => reward),
    );
    return ofPlan.filter(({ reward }) => (reward.unit ?? units.get(reward.id)) === unit);
  }

  /** The units of plans whose rules name none. */
  private async unitsOf(
    tenantId: string,
    rewards: readonly StoredRewardRule[],
  ): Promise<ReadonlyMap<Id, TimeUnit | null>> {
    const byPlan = new Map(rewards.filter(({ unit }) => unit === null).map((reward) => [reward.id, reward]));
    const units = new Map<Id, TimeUnit | null>();
    for (const [id, reward] of byPlan) {
      units.set(id, (await this.targets.find(tenantId, reward))?.unit ?? null);
    }
    return units;
  }
}
