import type { Campaign } from './campaign.entity.js';
import type { CampaignWarning } from './campaign.errors.js';

export interface WarningText {
  readonly code: CampaignWarning;
  readonly message: string;
}

/** What a campaign lacks to be of use, though nothing forbids it. */
export function campaignWarnings(
  { rule, endsAt }: Pick<Campaign, 'rule' | 'endsAt'>,
  nowMs: number,
): WarningText[] {
  const warnings: WarningText[] = [];
  if (rule.rewardRules.length === 0) {
    const message =
      'The campaign has no rewards: its codes can be redeemed, and give nothing. Once it is active its rule cannot change; to add rewards, end it and create a new one.';
    warnings.push({ code: 'CAMPAIGN_WITHOUT_REWARDS', message });
  }
  if (endsAt && endsAt.getTime() <= nowMs) {
    const message = `The campaign's window ended at ${endsAt.toISOString()}: no code can be redeemed. Move the end.`;
    warnings.push({ code: 'CAMPAIGN_WINDOW_OVER', message });
  }
  return warnings;
}
