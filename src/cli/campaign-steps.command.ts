import type { Command } from 'commander';
import { example, expectOption, type TenantOptions } from './arguments.js';
import { hinted } from './hints.js';
import { printLine, sayOnStderr } from './output.js';
import { onTenant } from './session.js';

interface StepOptions extends TenantOptions {
  readonly id: string;
}

const STEPS = {
  activate: 'Let the codes of a DRAFT be redeemed from now on. Warnings go to standard error.',
  pause: 'Let no codes be redeemed until it is resumed.',
  resume: 'Let codes be redeemed again.',
  end: 'End it for good.',
} as const;

/** The life of a campaign: each step prints the state that it leads to. */
export function addCampaignSteps(group: Command): void {
  for (const step of Object.keys(STEPS) as (keyof typeof STEPS)[]) {
    group
      .command(step)
      .description(STEPS[step])
      .requiredOption('--tenant <id>', 'the tenant')
      .requiredOption('--id <id>', 'the campaign')
      .addHelpText('after', example(`campaign ${step} --tenant CH_123 --id 7312345678901234`))
      .action(async (_options, command: Command) => {
        await onTenant(
          command.optsWithGlobals<StepOptions>(),
          async ({ campaignChanges }, { tenant, id }) => {
            const { campaign, warnings } =
              step === 'activate'
                ? await campaignChanges.activate(tenant, id)
                : { campaign: await campaignChanges.step(tenant, id, step), warnings: [] };
            await printLine(campaign.status);
            for (const { code, message } of warnings) sayOnStderr(hinted(code, message));
          },
        );
      });
  }
  group
    .command('delete')
    .description('Throw a DRAFT away for good. Its codes are voided, and their quota is given back.')
    .requiredOption('--tenant <id>', 'the tenant')
    .requiredOption('--id <id>', 'the campaign')
    .addOption(expectOption())
    .addHelpText('after', example('campaign delete --tenant CH_123 --id 7312345678901234'))
    .action(async (_options, command: Command) => {
      type Options = StepOptions & { readonly expect?: number };
      await onTenant(
        command.optsWithGlobals<Options>(),
        async ({ campaignChanges }, { tenant, id, expect }) => campaignChanges.delete(tenant, id, expect),
      );
      await printLine('DELETED');
    });
}
