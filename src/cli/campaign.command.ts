import type { Command } from 'commander';
import { example, type TenantOptions } from './arguments.js';
import { readJson } from './json-input.js';
import { printLine } from './output.js';
import { assertTenant, withServices } from './session.js';

interface CampaignCreateOptions extends TenantOptions {
  readonly name: string;
  readonly rule: string;
  readonly activate?: boolean;
  readonly key?: string;
}

const CREATE_CAMPAIGN = example('campaign create --tenant CH_123 --name Welcome --rule rule.json --activate');

export function addCampaignCommands(program: Command): void {
  const group = program.command('campaign').description('Campaigns.').addHelpText('after', CREATE_CAMPAIGN);
  group
    .command('create')
    .description('Make a campaign, and print its id.')
    .requiredOption('--tenant <id>', 'the tenant')
    .requiredOption('--name <name>', 'the name that people read')
    .requiredOption(
      '--rule <file>',
      'its rule as JSON: what codes look like and what they give; - is standard input',
    )
    .option('--activate', 'let its codes be redeemed from now on')
    .option('--key <key>', 'idempotency key: the same call again prints the same campaign')
    .addHelpText('after', CREATE_CAMPAIGN)
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<CampaignCreateOptions>();
      // Read first: for a mistake in the file nobody has to wait until servers are up.
      const rule = await readJson(options.rule);
      await withServices(options, async (services) => {
        const { tenant, name, key } = options;
        await assertTenant(services, tenant);
        const { campaign } = await services.campaigns.create(tenant, {
          name,
          rule,
          idempotencyKey: key ?? null,
        });
        // Told before the next step, which may be refused: the campaign is there by now.
        await printLine(campaign.id);
        if (options.activate === true && campaign.status === 'DRAFT') {
          await services.campaignChanges.step(tenant, campaign.id, 'activate');
        }
      });
    });
}
