import { Option, type Command } from 'commander';
import { Money } from '../platform/decimal.js';
import { TIME_UNITS, type TimeUnit } from '../rewards/time-unit.js';
import { RESET_CYCLES, type Plan, type ResetCycle } from '../subscriptions/plan.entity.js';
import { collected, example, expectOption, wholeNumber, yesOrNo, type TenantOptions } from './arguments.js';
import { printLine } from './output.js';
import { addList, printRow, type RowOptions } from './rows.js';
import { onTenant } from './session.js';
import type { Columns } from './table.js';

interface TermOptions extends TenantOptions {
  readonly traffic?: number;
  readonly devices?: number;
  readonly quota?: number;
  readonly inventory?: number;
  readonly node?: readonly string[];
  readonly tag?: readonly string[];
  readonly reset?: ResetCycle;
}

interface CreateOptions extends TermOptions {
  readonly name: string;
  readonly unit: TimeUnit;
  readonly price: string;
  readonly sell: boolean;
  readonly show: boolean;
}

interface UpdateOptions extends TermOptions, RowOptions {
  readonly id: string;
  readonly name?: string;
  readonly price?: string;
  readonly sell?: boolean;
  readonly show?: boolean;
  readonly expect?: number;
}

const COLUMNS: Columns<Plan> = {
  id: (plan) => plan.id,
  name: (plan) => plan.name,
  // The database pads to the column's scale; the same amount has one text.
  unitPrice: (plan) => new Money(plan.unitPrice).toFixed(),
  unitTime: (plan) => plan.unitTime,
  trafficBytes: (plan) => plan.trafficBytes,
  deviceLimit: (plan) => plan.deviceLimit,
  quotaPerUser: (plan) => plan.quotaPerUser,
  inventory: (plan) => plan.inventory,
  sell: (plan) => plan.sell,
  show: (plan) => plan.show,
  resetCycle: (plan) => plan.resetCycle,
  version: (plan) => plan.version,
};

const CREATE = example(
  'plan create --tenant CH_123 --name Monthly --unit MONTH --price 9.90 --traffic 100000000000',
);

export function addPlanCommands(program: Command): void {
  const group = program
    .command('plan')
    .description('Plans that a subscription can be of.')
    .addHelpText('after', CREATE);
  addCreate(group);
  addList<object, Plan>(group, {
    description: 'List the plans, the newest first. 0 is without limit; of the inventory -1 is.',
    example: 'plan list --tenant CH_123',
    columns: COLUMNS,
    page: async ({ plans }, { tenant }, page) => plans.list(tenant, page, false),
  });
  addUpdate(group);
}

function addCreate(group: Command): void {
  const command = group
    .command('create')
    .description('Make a plan, and print its id.')
    .requiredOption('--tenant <id>', 'the tenant')
    .requiredOption('--name <name>', 'the name that people read')
    .addOption(new Option('--unit <unit>', 'what the price is for').choices(TIME_UNITS).makeOptionMandatory())
    .requiredOption('--price <amount>', 'the price of a unit, e.g. 9.90');
  withTerms(command)
    .option('--no-sell', 'cannot be bought, only be given by a code')
    .option('--no-show', 'is hidden from users')
    .addHelpText('after', CREATE)
    .action(async () => {
      const plan = await onTenant(command.optsWithGlobals<CreateOptions>(), async ({ plans }, options) => {
        const { name, unit, price, sell, show } = options;
        const own = { name, unitPrice: price, unitTime: unit, sell, show };
        return plans.create(options.tenant, { ...termsOf(options), ...own });
      });
      await printLine(plan.id);
    });
}

function addUpdate(group: Command): void {
  const command = group
    .command('update')
    .description('Change a plan, and print what it is now. Its unit of time never changes.')
    .requiredOption('--tenant <id>', 'the tenant')
    .requiredOption('--id <id>', 'the plan')
    .option('--name <name>', 'the name that people read')
    .option('--price <amount>', 'the price of a unit, e.g. 9.90');
  withTerms(command)
    .option('--sell <yes|no>', 'whether it can be bought; a code gives it either way', yesOrNo)
    .option('--show <yes|no>', 'whether users see it', yesOrNo)
    .addOption(expectOption())
    .option('--json', 'print JSON')
    .addHelpText('after', example('plan update --tenant CH_123 --id 7312345678901234 --sell no'))
    .action(async () => {
      const plan = await onTenant(
        command.optsWithGlobals<UpdateOptions>(),
        async ({ planChanges }, options) => {
          const { tenant, id, name, price, sell, show, expect } = options;
          const own = { name, unitPrice: price, sell, show, expectedVersion: expect };
          return planChanges.update(tenant, id, { ...termsOf(options), ...own });
        },
      );
      await printRow(plan, COLUMNS, command.optsWithGlobals<UpdateOptions>());
    });
}

function withTerms(command: Command): Command {
  return command
    .option('--traffic <bytes>', 'traffic of a cycle, in bytes; 0 is without limit', wholeNumber)
    .option('--devices <n>', 'devices at once; 0 is without limit', wholeNumber)
    .option('--quota <n>', 'live subscriptions of one user; 0 is without limit', wholeNumber)
    .option('--inventory <n>', 'new subscriptions there can be, bought or given; "none" is no limit', stock)
    .option('--node <id>', 'a node that it opens; may be given again', collected)
    .option('--tag <tag>', 'a tag of nodes that it opens; may be given again', collected)
    .addOption(new Option('--reset <cycle>', 'when the traffic allowance is reset').choices(RESET_CYCLES));
}

function stock(text: string): number {
  return text === 'none' ? -1 : wholeNumber(text);
}

function termsOf({ traffic, devices, quota, inventory, node, tag, reset }: TermOptions) {
  return {
    trafficBytes: traffic,
    deviceLimit: devices,
    quotaPerUser: quota,
    inventory,
    nodeIds: node === undefined ? undefined : [...node],
    nodeTags: tag === undefined ? undefined : [...tag],
    resetCycle: reset,
  };
}
