import { present } from '../../platform/assert.js';
import type { Id } from '../../platform/ids.js';
import type { RewardForecast, RewardHandlers } from '../../rewards/reward-handler.js';
import type { RewardType } from '../../rewards/reward-rule.js';
import type { ChosenReward } from '../claim/claim.js';

/** One reward that redeeming would give, and what it would come to. */
export interface ForecastReward extends RewardForecast {
  readonly type: RewardType;
  readonly targetId: Id;
  readonly quantity: number;
}

/** What the rewards would come to if they were given to the user now, in the order of the campaign's rule. */
export async function forecastRewards(
  handlers: RewardHandlers,
  { tenantId, userId }: { readonly tenantId: string; readonly userId: Id },
  rewards: readonly ChosenReward[],
  nowMs: number,
): Promise<ForecastReward[]> {
  const forecasts = new Map<number, RewardForecast>();
  for (const [type, chosen] of Map.groupBy(rewards, ({ rule }) => rule.type)) {
    const handler = present(handlers.get(type), `The handler of ${type} rewards`);
    const rules = chosen.map(({ rule }) => rule);
    const answers = await handler.forecast(tenantId, userId, rules, nowMs);
    for (const [at, { rewardNo }] of chosen.entries())
      forecasts.set(rewardNo, present(answers[at], 'The forecast of a reward'));
  }
  return rewards.map(({ rewardNo, rule: { type, id: targetId, quantity } }) => ({
    type,
    targetId,
    quantity,
    ...present(forecasts.get(rewardNo), 'The forecast of a reward'),
  }));
}
