import type { RewardReversal, ReversedReward, SpentRewards } from '../../src/rewards/reward-handler.js';
import { readRewardRule, type RewardType, type StoredRewardRule } from '../../src/rewards/reward-rule.js';
import { RewardGrant } from '../../src/redemption/history/reward-grant.entity.js';
import { within, type Shop } from './coupon-world.js';
import { emOf, redeem, seedCampaign } from './world.js';

/** Redeems a code that gives these rewards. @returns the redemption */
export async function redeemRewards(shop: Shop, rewardRules: readonly object[]): Promise<string> {
  const { world, tenantId, userId } = shop;
  const { codes } = await seedCampaign(world, shop, 1, { rule: { rewardRules } });
  const { redemption, refusal } = await redeem(world, tenantId, userId, codes[0] ?? '');
  if (redemption === null) throw new Error(`The redemption was refused: ${refusal?.code}`);
  return redemption.id;
}

/** Takes the rewards of one type back, as the reversal of the redemption does. */
export async function takeBack(
  shop: Shop,
  redemptionId: string,
  rules: readonly Pick<StoredRewardRule, 'type' | 'id'>[],
  type: RewardType,
  spent: SpentRewards = 'REFUSE',
  now: Date = new Date(),
): Promise<ReversedReward[]> {
  const { world, tenantId, userId } = shop;
  const grants = await emOf(world, tenantId).find(RewardGrant, { redemptionId, type });
  const reversals = grants.map(({ rewardNo, targetId, grantedAt }): RewardReversal => {
    const stored = { unit: null, quantity: 1, value: '0', condition: null, ...rules[rewardNo] };
    const rule = readRewardRule(stored as StoredRewardRule);
    const of = { redemptionId, orderId: redemptionId, rewardNo, userId, targetId, grantedAt, period: null };
    return { ...of, rule };
  });
  const handler = world.services.handlers.get(type);
  if (handler === undefined) throw new Error(`There is no handler of ${type}.`);
  return within(shop, async (em) => handler.reverse(em, tenantId, reversals, spent, now));
}
