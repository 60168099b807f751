import { Option, type Command } from 'commander';
import { TIME_UNITS, type TimeUnit } from '../rewards/time-unit.js';
import { RESET_CYCLES, type ResetCycle } from '../subscriptions/plan.entity.js';
import { collected, example, wholeNumber, type TenantOptions } from './arguments.js';
import { printLine } from './output.js';
import { assertTenant, withServices } from './session.js';

interface PlanCreateOptions extends TenantOptions {
  readonly name: string;
  readonly unit: TimeUnit;
  readonly price: string;
  readonly traffic?: number;
  readonly devices?: number;
  readonly quota?: number;
  readonly inventory?: number;
  readonly node?: readonly string[];
  readonly tag?: readonly string[];
  readonly reset: ResetCycle;
  readonly sell: boolean;
  readonly show: boolean;
}

const CREATE_PLAN = example(
  'plan create --tenant CH_123 --name Monthly --unit MONTH --price 9.90 --traffic 100000000000',
);

export function addPlanCommands(program: Command): void {
  const group = program
    .command('plan')
    .description('Plans that a subscription can be of.')
    .addHelpText('after', CREATE_PLAN);
  group
    .command('create')
    .description('Make a plan, and print its id.')
    .requiredOption('--tenant <id>', 'the tenant')
    .requiredOption('--name <name>', 'the name that people read')
    .addOption(new Option('--unit <unit>', 'what the price is for').choices(TIME_UNITS).makeOptionMandatory())
    .requiredOption('--price <amount>', 'the price of a unit, e.g. 9.90')
    .option('--traffic <bytes>', 'traffic of a cycle, in bytes; 0 is without limit', wholeNumber)
    .option('--devices <n>', 'devices at once; 0 is without limit', wholeNumber)
    .option('--quota <n>', 'live subscriptions of one user; 0 is without limit', wholeNumber)
    .option('--inventory <n>', 'how many there are to sell; without it, there is no limit', wholeNumber)
    .option('--node <id>', 'a node that it opens; may be given again', collected)
    .option('--tag <tag>', 'a tag of nodes that it opens; may be given again', collected)
    .addOption(
      new Option('--reset <cycle>', 'when traffic begins anew').choices(RESET_CYCLES).default('NONE'),
    )
    .option('--no-sell', 'cannot be bought, only be given')
    .option('--no-show', 'is hidden from users')
    .addHelpText('after', CREATE_PLAN)
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<PlanCreateOptions>();
      const plan = await withServices(options, async (services) => {
        await assertTenant(services, options.tenant);
        return services.plans.create(options.tenant, planOf(options));
      });
      await printLine(plan.id);
    });
}

function planOf(options: PlanCreateOptions) {
  const { name, unit, price, traffic, devices, quota, inventory, node, tag, reset, sell, show } = options;
  return {
    name,
    unitPrice: price,
    unitTime: unit,
    trafficBytes: traffic,
    deviceLimit: devices,
    quotaPerUser: quota,
    inventory,
    nodeIds: node === undefined ? undefined : [...node],
    nodeTags: tag === undefined ? undefined : [...tag],
    resetCycle: reset,
    sell,
    show,
  };
}
