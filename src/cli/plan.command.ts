import { Option, type OptionValues } from '@commander-js/extra-typings';
import { Money } from '../platform/decimal.js';
import { TIME_UNITS } from '../rewards/time-unit.js';
import { RESET_CYCLES, type Plan } from '../subscriptions/plan.entity.js';
import { addAction, ofTenant, type Bare } from './action.js';
import { collected, example, expectOption, wholeNumber, yesOrNo } from './arguments.js';
import { printLine } from './output.js';
import { addList, printRow } from './rows.js';
import { fields, type Columns } from './table.js';

const COLUMNS: Columns<Plan> = {
  ...fields<Plan>('id', 'name'),
  // The database pads to the column's scale; the same amount has one text.
  unitPrice: (plan) => new Money(plan.unitPrice).toFixed(),
  ...fields<Plan>(
    'currency',
    'unitTime',
    'trafficBytes',
    'deviceLimit',
    'quotaPerUser',
    'inventory',
    'sell',
    'show',
    'keepsAnchorDay',
    'resetCycle',
    'version',
  ),
};

const CREATE = 'plan create --tenant CH_123 --name Monthly --unit MONTH --price 9.90 --traffic 100000000000';

export function addPlanCommands(program: Bare): void {
  const group = program
    .command('plan')
    .description('Plans that a subscription can be of.')
    .addHelpText('after', example(CREATE));
  addCreate(group);
  addList(group, {
    description: 'List the plans, the newest first. 0 is without limit; of the inventory -1 is.',
    example: 'plan list --tenant CH_123',
    columns: COLUMNS,
    options: ofTenant,
    page: async ({ plans }, { tenant }, page) => plans.list(tenant, page, false),
  });
  addUpdate(group);
}

function addCreate(group: Bare): void {
  addAction(group, {
    name: 'create',
    description: 'Make a plan, and print its id.',
    example: CREATE,
    options: (command) =>
      withTerms(
        ofTenant(command)
          .requiredOption('--name <name>', 'the name that people read')
          .addOption(
            new Option('--unit <unit>', 'what the price is for').choices(TIME_UNITS).makeOptionMandatory(),
          )
          .requiredOption('--price <amount>', 'the price of a unit, e.g. 9.90'),
      )
        .option('--no-sell', 'cannot be bought, only be given by a code')
        .option('--no-show', 'is hidden from users'),
    run: async ({ plans }, { tenant, name, unit, price, sell, show, ...terms }) =>
      plans.create(tenant, { ...termsOf(terms), name, unitPrice: price, unitTime: unit, sell, show }),
    print: async ({ id }) => printLine(id),
  });
}

function addUpdate(group: Bare): void {
  addAction(group, {
    name: 'update',
    description: 'Change a plan, and print its new state. Its unit of time never changes.',
    example: 'plan update --tenant CH_123 --id 7312345678901234 --sell no',
    options: (command) =>
      withTerms(
        ofTenant(command)
          .requiredOption('--id <id>', 'the plan')
          .option('--name <name>', 'the name that people read')
          .option('--price <amount>', 'the price of a unit, e.g. 9.90'),
      )
        .option('--sell <yes|no>', 'whether it can be bought; a code gives it either way', yesOrNo)
        .option('--show <yes|no>', 'whether users see it', yesOrNo)
        .addOption(expectOption())
        .option('--json', 'print JSON'),
    run: async ({ plans }, { tenant, id, name, price, sell, show, expect, ...terms }) => {
      const own = { name, unitPrice: price, sell, show, expectedVersion: expect };
      return plans.update(tenant, id, { ...termsOf(terms), ...own });
    },
    print: printRow(COLUMNS),
  });
}

function withTerms<Options extends OptionValues>(command: Bare<Options>) {
  return command
    .option('--currency <code>', 'of its prices; "none" is the only one of the tenant', currencyCode)
    .option('--traffic <bytes>', 'traffic of a cycle, in bytes; 0 is without limit', wholeNumber)
    .option('--devices <n>', 'devices at once; 0 is without limit', wholeNumber)
    .option('--quota <n>', 'live subscriptions of one user; 0 is without limit', wholeNumber)
    .option('--inventory <n>', 'new subscriptions there can be, bought or given; "none" is no limit', stock)
    .option('--node <id>', 'a node that it opens; may be given again', collected)
    .option('--tag <tag>', 'a tag of nodes that it opens; may be given again', collected)
    .option('--anchor <yes|no>', 'whether extensions by months keep the day of the begin', yesOrNo)
    .addOption(new Option('--reset <cycle>', 'when the traffic allowance is reset').choices(RESET_CYCLES));
}

function stock(text: string): number {
  return text === 'none' ? -1 : wholeNumber(text);
}

function currencyCode(text: string): string | null {
  return text === 'none' ? null : text;
}

function termsOf(options: ReturnType<ReturnType<typeof withTerms<{}>>['opts']>) {
  const { currency, traffic, devices, quota, inventory, node, tag, anchor, reset } = options;
  return {
    currency,
    trafficBytes: traffic,
    deviceLimit: devices,
    quotaPerUser: quota,
    inventory,
    nodeIds: node,
    nodeTags: tag,
    keepsAnchorDay: anchor,
    resetCycle: reset,
  };
}
