import type { CampaignRule } from '../../campaigns/campaign-rule.js';
import { present } from '../../platform/assert.js';
import type { Em } from '../../platform/database/orm.js';
import type { RewardHandlers, RewardReversal, SpentRewards } from '../../rewards/reward-handler.js';
import { readRewardRule, REWARD_TYPES } from '../../rewards/reward-rule.js';
import { orderNoOf, type GrantRow, type RedemptionRecord } from '../history/redemption-record.js';

/**
 * Has every handler take its rewards back, in the order in which rewards are given: the locks of each type come before
 * those of the next.
 * @returns debts by the place of the reward
 */
export async function takeRewardsBack(
  em: Em,
  handlers: RewardHandlers,
  record: RedemptionRecord,
  rule: CampaignRule,
  { spent, at: now }: { readonly spent: SpentRewards; readonly at: Date },
): Promise<ReadonlyMap<number, string>> {
  const debts = new Map<number, string>();
  for (const type of REWARD_TYPES) {
    const reversals = record.rewards
      .filter((grant) => grant.type === type)
      .map((grant) => reversalOf(record, grant, rule));
    if (reversals.length === 0) continue;
    const handler = present(handlers.get(type), `The handler of ${type} rewards`);
    const reversed = await handler.reverse(em, record.tenantId, reversals, spent, now);
    for (const [place, { rewardNo }] of reversals.entries()) {
      const { debt } = present(reversed[place], 'A reversed reward');
      if (debt !== null) debts.set(rewardNo, debt);
    }
  }
  return debts;
}

/** Rules of campaigns do not change once a code can have been redeemed, so the place still names the reward. */
function reversalOf(record: RedemptionRecord, grant: GrantRow, rule: CampaignRule): RewardReversal {
  const { id: redemptionId, userId } = record;
  const { rewardNo, targetId, grantedAt, periodFrom, periodUntil } = grant;
  return {
    redemptionId,
    orderId: orderNoOf(redemptionId),
    rewardNo,
    userId,
    targetId,
    rule: readRewardRule(present(rule.rewardRules[rewardNo], 'The rule of a reward')),
    grantedAt,
    period: periodFrom ? { from: periodFrom, until: periodUntil ?? null } : null,
  };
}
