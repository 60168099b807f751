import type { CampaignRule } from '../../campaigns/campaign-rule.js';
import { canonicalText } from '../../platform/text.js';
import { readRewardRule } from '../../rewards/reward-rule.js';
import type { ChosenReward } from '../claim/claim.js';

/** What conditions read of a user. */
export interface RewardFacts {
  readonly tags: readonly string[];
}

/** Whether the facts must be fetched at all. */
export function hasConditions(rule: CampaignRule): boolean {
  return rule.rewardRules.some((reward) => reward.condition !== null);
}

/**
 * The rewards of a rule that this user gets, with their positions in the rule. Tags and conditions are stored in one
 * spelling (NFC); rows from before that was so are compared in it, too.
 */
export function chooseRewards(rule: CampaignRule, facts: RewardFacts): ChosenReward[] {
  const tags = new Set(facts.tags.map(canonicalText));
  return rule.rewardRules
    .map((reward, rewardNo) => ({ rewardNo, rule: readRewardRule(reward) }))
    .filter(({ rule: { condition } }) => condition === null || tags.has(canonicalText(condition.userTag)));
}
