import type { Em } from '../../platform/database/orm.js';
import type { Id, IdGenerator } from '../../platform/ids.js';
import type {
  RewardApplication,
  RewardForecast,
  RewardHandler,
  RewardReversal,
  RewardSession,
  RewardTarget,
  ReversedReward,
  SpentRewards,
} from '../../rewards/reward-handler.js';
import type { RewardRule } from '../../rewards/reward-rule.js';
import { pointsExpiry } from './points-lots.js';
import { PointsRewardSession } from './points-reward.session.js';
import { reversePoints } from './points-reversal.js';
import { lockPointsAccounts } from './points-rows.js';

/** Gives points. */
export class PointsRewardHandler implements RewardHandler {
  readonly type = 'POINTS';

  constructor(private readonly ids: IdGenerator) {}

  /** Points name nothing, and campaigns check their amount. */
  async target(): Promise<RewardTarget> {
    return { unit: null, fault: null };
  }

  async precheck(): Promise<null> {
    return null;
  }

  async forecast(
    _tenantId: string,
    _userId: Id,
    rules: readonly RewardRule[],
    nowMs: number,
  ): Promise<RewardForecast[]> {
    return rules.map(({ validDays }) => ({
      unit: null,
      expiresAt: pointsExpiry(validDays, nowMs),
      hasEffect: true,
    }));
  }

  async begin(em: Em, tenantId: string, applications: readonly RewardApplication[]): Promise<RewardSession> {
    const userIds = applications.map(({ userId }) => userId);
    await lockPointsAccounts(em, tenantId, userIds);
    return new PointsRewardSession(em, tenantId, this.ids);
  }

  async reverse(
    em: Em,
    tenantId: string,
    reversals: readonly RewardReversal[],
    spent: SpentRewards,
    now: Date,
  ): Promise<ReversedReward[]> {
    return reversePoints(em, tenantId, this.ids, reversals, { spent, now });
  }

  /** No cache holds points. */
  async afterCommit(): Promise<void> {}
}
