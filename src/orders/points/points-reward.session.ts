import type { Em } from '../../platform/database/orm.js';
import type { IdGenerator } from '../../platform/ids.js';
import type { RewardApplication, RewardOutcome, RewardSession } from '../../rewards/reward-handler.js';
import { pointsExpiry } from './points-lots.js';
import { grantLots, type NewLot } from './points-rows.js';

/** Points of one batch, kept here until {@link flush}. Nothing stands in their way. */
export class PointsRewardSession implements RewardSession {
  private readonly lots: NewLot[] = [];

  constructor(
    private readonly em: Em,
    private readonly tenantId: string,
    private readonly ids: IdGenerator,
  ) {}

  refusal(): null {
    return null;
  }

  hasEffect(): boolean {
    return true;
  }

  apply({ redemptionId, rewardNo, userId, rule, claimedAtMs }: RewardApplication): RewardOutcome {
    const id = this.ids.next();
    this.lots.push({
      id,
      userId,
      points: Number(rule.amount),
      expiresAt: pointsExpiry(rule.validDays, claimedAtMs),
      redemptionId,
      rewardNo,
      idempotencyKey: null,
      argumentsDigest: null,
      createdAt: new Date(claimedAtMs),
    });
    return { targetId: id };
  }

  async flush(): Promise<void> {
    await grantLots(this.em, this.tenantId, this.lots, 'REDEMPTION', this.ids);
  }
}
