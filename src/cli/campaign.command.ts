import { Option, type OptionValues } from '@commander-js/extra-typings';
import { CAMPAIGN_STATUSES, CODE_VISIBILITIES, type Campaign } from '../campaigns/campaign.entity.js';
import { addAction, ofTenant, type Bare } from './action.js';
import { example, expectOption, instant, orNone, orNull, wholeNumber } from './arguments.js';
import { addCampaignSteps, sayWarnings } from './campaign-steps.command.js';
import { readRule } from './campaign-rule-file.js';
import { printLine } from './output.js';
import { addList, printRow } from './rows.js';
import { fields, type Columns } from './table.js';

const COLUMNS: Columns<Campaign> = {
  ...fields<Campaign>('id', 'name', 'status', 'startsAt', 'endsAt'),
  codeType: (campaign) => campaign.rule.codeType,
  rewards: (campaign) => campaign.rule.rewardRules.map(({ type, id }) => `${type}:${id}`),
  visibility: (campaign) => campaign.codeVisibility,
  ...fields<Campaign>('version'),
};

const CREATE =
  'campaign create --tenant CH_123 --name Welcome --rule docs/examples/rule.json --plan 7312345678901234 --activate';

export function addCampaignCommands(program: Bare): void {
  const group = program.command('campaign').description('Campaigns.').addHelpText('after', example(CREATE));
  addCreate(group);
  addList(group, {
    description: 'List the campaigns, the newest first.',
    example: 'campaign list --tenant CH_123 --status ACTIVE',
    columns: COLUMNS,
    options: (command) =>
      ofTenant(command).addOption(new Option('--status <status>', 'only these').choices(CAMPAIGN_STATUSES)),
    page: async ({ campaignReader }, { tenant, status = null }, page) =>
      campaignReader.page(tenant, { status }, page),
  });
  addUpdate(group);
  addCampaignSteps(group);
}

function addCreate(group: Bare): void {
  addAction(group, {
    name: 'create',
    description: 'Make a campaign, and print its id.',
    example: CREATE,
    options: (command) =>
      withLimits(
        ofTenant(command)
          .requiredOption('--name <name>', 'the name that people read')
          .requiredOption(
            '--rule <file>',
            'its rule as JSON: what codes look like and what they give (docs/examples); - is standard input',
          ),
      )
        .option('--starts <instant>', 'the first instant at which codes are redeemed', instant)
        .option('--ends <instant>', 'the first instant at which they no longer are', instant)
        .addOption(
          new Option('--visibility <how>', 'HASHED shows codes once, at generation').choices(
            CODE_VISIBILITIES,
          ),
        )
        .option('--activate', 'let its codes be redeemed from now on')
        .option('--key <key>', 'idempotency key: the same call again prints the same campaign'),
    prepare: async ({ rule, plan }) => readRule(rule, plan),
    run: async ({ campaigns, campaignChanges }, options, rule) => {
      const { tenant, name, key: idempotencyKey, starts, ends, visibility, activate } = options;
      const window = { startsAt: starts, endsAt: ends };
      const terms = { codeVisibility: visibility, ...window, ...limitsOf(options) };
      const { campaign } = await campaigns.create(tenant, { name, rule, idempotencyKey, ...terms });
      // Printed before the next step, which may be refused: the campaign is there by now.
      await printLine(campaign.id);
      if (activate !== true || campaign.status !== 'DRAFT') return [];
      return (await campaignChanges.activate(tenant, campaign.id)).warnings;
    },
    print: sayWarnings,
  });
}

function addUpdate(group: Bare): void {
  addAction(group, {
    name: 'update',
    description: 'Change a campaign, and print its new state. The rule can be changed while it is a DRAFT.',
    example: 'campaign update --tenant CH_123 --id 7312345678901234 --ends 2026-12-31T23:59:59Z',
    options: (command) =>
      withLimits(
        ofTenant(command)
          .requiredOption('--id <id>', 'the campaign')
          .option('--name <name>', 'the name that people read')
          .option('--rule <file>', 'another rule as JSON, of a DRAFT only; - is standard input'),
      )
        .option(
          '--starts <instant>',
          'the first instant at which codes are redeemed, or "none"',
          orNone(instant),
        )
        .option(
          '--ends <instant>',
          'the first instant at which they no longer are, or "none"',
          orNone(instant),
        )
        .addOption(expectOption())
        .option('--json', 'print JSON'),
    prepare: async ({ rule, plan }) => (rule === undefined ? undefined : readRule(rule, plan)),
    run: async ({ campaignChanges }, options, rule) => {
      const { tenant, id, name, starts, ends, expect: expectedVersion } = options;
      const window = { startsAt: orNull(starts), endsAt: orNull(ends) };
      const changes = { name, rule, ...window, expectedVersion, ...limitsOf(options) };
      return campaignChanges.update(tenant, id, changes);
    },
    print: printRow(COLUMNS),
  });
}

function withLimits<Options extends OptionValues>(command: Bare<Options>) {
  return command
    .option('--plan <id>', 'the id that replaces $PLAN in the rule')
    .option('--user-limit <n>', 'redemptions that a user may make; 0 is without limit', wholeNumber)
    .option('--user-limit-day <n>', 'the same on one day of the tenant; 0 is without limit', wholeNumber)
    .option('--budget-uses <n>', 'redemptions that there may be; 0 is without limit', wholeNumber)
    .option('--budget-value <amount>', 'sum of the values of rewards; 0 is without limit');
}

function limitsOf(options: ReturnType<ReturnType<typeof withLimits<{}>>['opts']>) {
  const { userLimit, userLimitDay, budgetUses, budgetValue } = options;
  return { userLimitTotal: userLimit, userLimitDay, budgetUses, budgetValue };
}
