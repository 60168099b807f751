import type { CampaignConditions, ConditionFault } from '../../campaigns/campaign-conditions.service.js';
import type { CampaignRule } from '../../campaigns/campaign-rule.js';
import type { Campaign } from '../../campaigns/campaign.entity.js';
import { isSet } from '../../platform/assert.js';
import type { Id } from '../../platform/ids.js';
import { readRewardRule } from '../../rewards/reward-rule.js';
import type { ChosenReward } from '../claim/claim.js';
import type { ConditionFactsReader } from './condition-facts.reader.js';

/** Who redeems, where. */
interface Redeemer {
  readonly tenantId: string;
  readonly userId: Id;
  readonly productCode: string;
  readonly request: { readonly deviceId: string | null; readonly isPreview?: boolean };
}

export interface Choice {
  /** Whether the campaign's condition lets the user redeem. */
  readonly isEligible: boolean;
  /** With their positions in the rule. */
  readonly rewards: readonly ChosenReward[];
}

/** Conditions that could not be evaluated. */
export interface FaultNotes {
  note(campaign: Campaign, redeemer: Redeemer, faults: readonly ConditionFault[]): void;
}

/** Evaluates the conditions of a campaign, once and before the claim, which holds what was chosen. */
export class RewardChoice {
  constructor(
    private readonly conditions: CampaignConditions,
    private readonly facts: ConditionFactsReader,
    private readonly faults: FaultNotes,
  ) {}

  /** Null where the user may not redeem at all. */
  async of(redeemer: Redeemer, campaign: Campaign, nowMs: number): Promise<Choice | null> {
    const { tenantId, userId, productCode, request } = redeemer;
    const { rule, id: campaignId, timeZone } = campaign;
    const rewards = rule.rewardRules.map((reward, rewardNo) => ({ rewardNo, rule: readRewardRule(reward) }));
    if (!hasConditions(rule)) return { isEligible: true, rewards };
    const conditions = this.conditions.of(tenantId, campaign);
    const { facts, currencies } = conditions;
    const wanted = {
      facts,
      currencies,
      campaignId,
      productCode,
      deviceId: request.deviceId,
      nowMs,
      timeZone,
    };
    const known = (await this.facts.read(tenantId, [userId], wanted)).get(userId);
    if (known === undefined) return null;
    const { isEligible, rewardNos, faults } = conditions.judge(known);
    if (faults.length > 0) this.faults.note(campaign, redeemer, faults);
    return { isEligible, rewards: rewards.filter(({ rewardNo }) => rewardNos.includes(rewardNo)) };
  }
}

/** Most campaigns have none: every user gets everything, and nothing is read. */
function hasConditions({ when, rewardRules }: CampaignRule): boolean {
  return isSet(when) || rewardRules.some((reward) => reward.condition !== null || isSet(reward.when));
}
