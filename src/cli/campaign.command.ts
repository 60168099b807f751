import { Option, type Command } from 'commander';
import {
  CAMPAIGN_STATUSES,
  CODE_VISIBILITIES,
  type Campaign,
  type CampaignStatus,
  type CodeVisibility,
} from '../campaigns/campaign.entity.js';
import {
  example,
  expectOption,
  instant,
  orNone,
  orNull,
  type OrNone,
  wholeNumber,
  type TenantOptions,
} from './arguments.js';
import { addCampaignSteps } from './campaign-steps.command.js';
import { readRule } from './campaign-rule-file.js';
import { hinted } from './hints.js';
import { printLine, sayOnStderr } from './output.js';
import { addList, printRow, type RowOptions } from './rows.js';
import { onTenant } from './session.js';
import type { Columns } from './table.js';

interface LimitOptions extends TenantOptions {
  readonly plan?: string;
  readonly userLimit?: number;
  readonly userLimitDay?: number;
  readonly budgetUses?: number;
  readonly budgetValue?: string;
}

interface CreateOptions extends LimitOptions {
  readonly name: string;
  readonly rule: string;
  readonly starts?: Date;
  readonly ends?: Date;
  readonly visibility?: CodeVisibility;
  readonly activate?: boolean;
  readonly key?: string;
}

interface UpdateOptions extends LimitOptions, RowOptions {
  readonly id: string;
  readonly name?: string;
  readonly rule?: string;
  readonly starts?: OrNone<Date>;
  readonly ends?: OrNone<Date>;
  readonly expect?: number;
}

const COLUMNS: Columns<Campaign> = {
  id: (campaign) => campaign.id,
  name: (campaign) => campaign.name,
  status: (campaign) => campaign.status,
  startsAt: (campaign) => campaign.startsAt,
  endsAt: (campaign) => campaign.endsAt,
  codeType: (campaign) => campaign.rule.codeType,
  rewards: (campaign) => campaign.rule.rewardRules.map(({ type, id }) => `${type}:${id}`),
  visibility: (campaign) => campaign.codeVisibility,
  version: (campaign) => campaign.version,
};

const CREATE = example(
  'campaign create --tenant CH_123 --name Welcome --rule docs/examples/rule.json --plan 7312345678901234 --activate',
);

export function addCampaignCommands(program: Command): void {
  const group = program.command('campaign').description('Campaigns.').addHelpText('after', CREATE);
  addCreate(group);
  addList<{ status?: CampaignStatus }, Campaign>(group, {
    description: 'List the campaigns, the newest first.',
    example: 'campaign list --tenant CH_123 --status ACTIVE',
    columns: COLUMNS,
    filters: (command) =>
      command.addOption(new Option('--status <status>', 'only these').choices(CAMPAIGN_STATUSES)),
    page: async ({ campaignReader }, { tenant, status = null }, page) =>
      campaignReader.page(tenant, { status }, page),
  });
  addUpdate(group);
  addCampaignSteps(group);
}

function addCreate(group: Command): void {
  const command = group
    .command('create')
    .description('Make a campaign, and print its id.')
    .requiredOption('--tenant <id>', 'the tenant')
    .requiredOption('--name <name>', 'the name that people read')
    .requiredOption(
      '--rule <file>',
      'its rule as JSON: what codes look like and what they give (docs/examples); - is standard input',
    );
  withLimits(command)
    .option('--starts <instant>', 'the first instant at which codes are redeemed', instant)
    .option('--ends <instant>', 'the first instant at which they no longer are', instant)
    .addOption(
      new Option('--visibility <how>', 'HASHED shows codes once, at generation').choices(CODE_VISIBILITIES),
    )
    .option('--activate', 'let its codes be redeemed from now on')
    .option('--key <key>', 'idempotency key: the same call again prints the same campaign')
    .addHelpText('after', CREATE)
    .action(async () => {
      const { rule: file, plan } = command.opts<CreateOptions>();
      // Read first: a mistake in the file is reported before servers are started.
      const rule = await readRule(file, plan);
      await onTenant(
        command.optsWithGlobals<CreateOptions>(),
        async ({ campaigns, campaignChanges }, options) => {
          const { tenant, name, key = null, starts = null, ends = null, visibility } = options;
          const input = { name, rule, startsAt: starts, endsAt: ends, codeVisibility: visibility };
          const { campaign } = await campaigns.create(tenant, {
            ...input,
            ...limitsOf(options),
            idempotencyKey: key,
          });
          // Printed before the next step, which may be refused: the campaign is there by now.
          await printLine(campaign.id);
          if (options.activate !== true || campaign.status !== 'DRAFT') return;
          const { warnings } = await campaignChanges.activate(tenant, campaign.id);
          for (const { code, message } of warnings) sayOnStderr(hinted(code, message));
        },
      );
    });
}

function addUpdate(group: Command): void {
  const command = group
    .command('update')
    .description('Change a campaign, and print what it is now. The rule can be changed while it is a DRAFT.')
    .requiredOption('--tenant <id>', 'the tenant')
    .requiredOption('--id <id>', 'the campaign')
    .option('--name <name>', 'the name that people read')
    .option('--rule <file>', 'another rule as JSON, of a DRAFT only; - is standard input');
  withLimits(command)
    .option('--starts <instant>', 'the first instant at which codes are redeemed, or "none"', orNone(instant))
    .option('--ends <instant>', 'the first instant at which they no longer are, or "none"', orNone(instant))
    .addOption(expectOption())
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      example('campaign update --tenant CH_123 --id 7312345678901234 --ends 2026-12-31T23:59:59Z'),
    )
    .action(async () => {
      const { rule: file, plan } = command.opts<UpdateOptions>();
      const rule = file === undefined ? undefined : await readRule(file, plan);
      const campaign = await onTenant(
        command.optsWithGlobals<UpdateOptions>(),
        async ({ campaignChanges }, options) => {
          const { tenant, id, name, starts, ends, expect: expectedVersion } = options;
          const window = { startsAt: orNull(starts), endsAt: orNull(ends) };
          const changes = { name, rule, ...window, expectedVersion, ...limitsOf(options) };
          return campaignChanges.update(tenant, id, changes);
        },
      );
      await printRow(campaign, COLUMNS, command.optsWithGlobals<UpdateOptions>());
    });
}

function withLimits(command: Command): Command {
  return command
    .option('--plan <id>', 'what $PLAN in the rule stands for')
    .option('--user-limit <n>', 'redemptions that a user may make; 0 is without limit', wholeNumber)
    .option('--user-limit-day <n>', 'the same on one UTC day; 0 is without limit', wholeNumber)
    .option('--budget-uses <n>', 'redemptions that there may be; 0 is without limit', wholeNumber)
    .option('--budget-value <amount>', 'sum of the values of rewards; 0 is without limit');
}

function limitsOf({ userLimit, userLimitDay, budgetUses, budgetValue }: LimitOptions) {
  return { userLimitTotal: userLimit, userLimitDay, budgetUses, budgetValue };
}
