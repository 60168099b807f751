import type { CampaignRule } from '../campaigns/campaign-rule.js';
import type { ChosenReward } from './claim.js';

/** What conditions read of a user. */
export interface RewardFacts {
  readonly tags: readonly string[];
}

/** Whether the facts must be fetched at all. */
export function hasConditions(rule: CampaignRule): boolean {
  return rule.rewardRules.some((reward) => reward.condition !== null);
}

/** The rewards of a rule that this user gets, with their positions in the rule. */
export function chooseRewards(rule: CampaignRule, facts: RewardFacts): ChosenReward[] {
  return rule.rewardRules
    .map((reward, rewardNo) => ({ rewardNo, rule: reward }))
    .filter((chosen) => chosen.rule.condition === null || facts.tags.includes(chosen.rule.condition.userTag));
}
