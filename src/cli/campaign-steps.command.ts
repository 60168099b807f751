import type { WarningText } from '../campaigns/campaign-warnings.js';
import { addAction, ofTenant, type Bare } from './action.js';
import { expectOption } from './arguments.js';
import { hinted } from './hints.js';
import { printLine, sayOnStderr } from './output.js';

const STEPS = {
  activate: 'Let the codes of a DRAFT be redeemed from now on. Warnings go to standard error.',
  pause: 'Let no codes be redeemed until it is resumed.',
  resume: 'Let codes be redeemed again.',
  end: 'End it for good.',
} as const;

const ofCampaign = (command: Bare) => ofTenant(command).requiredOption('--id <id>', 'the campaign');

export async function sayWarnings(warnings: readonly WarningText[]): Promise<void> {
  for (const { code, message } of warnings) sayOnStderr(hinted(code, message));
  return Promise.resolve();
}

/** The life of a campaign: each step prints the state that it leads to. */
export function addCampaignSteps(group: Bare): void {
  for (const step of Object.keys(STEPS) as (keyof typeof STEPS)[])
    addAction(group, {
      name: step,
      description: STEPS[step],
      example: `campaign ${step} --tenant CH_123 --id 7312345678901234`,
      options: ofCampaign,
      run: async ({ campaignChanges }, { tenant, id }) =>
        step === 'activate'
          ? campaignChanges.activate(tenant, id)
          : { campaign: await campaignChanges.step(tenant, id, step), warnings: [] },
      print: async ({ campaign, warnings }) => {
        await printLine(campaign.status);
        await sayWarnings(warnings);
      },
    });
  addAction(group, {
    name: 'delete',
    description: 'Delete a DRAFT. Its codes are voided, and their quota is given back.',
    example: 'campaign delete --tenant CH_123 --id 7312345678901234',
    options: (command) => ofCampaign(command).addOption(expectOption()),
    run: async ({ campaignChanges }, { tenant, id, expect }) => campaignChanges.delete(tenant, id, expect),
    print: async () => printLine('DELETED'),
  });
}
