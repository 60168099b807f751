import { Option, type Command } from 'commander';
import {
  PRODUCT_LINE_STATUSES,
  type ProductLine,
  type ProductLineStatus,
} from '../tenancy/product-line.entity.js';
import {
  example,
  expectOption,
  orNone,
  orNull,
  wholeNumber,
  type OrNone,
  type TenantOptions,
} from './arguments.js';
import { printLine } from './output.js';
import { addList, printRow, type RowOptions } from './rows.js';
import { onTenant } from './session.js';
import type { Columns } from './table.js';

interface CreateOptions extends TenantOptions {
  readonly code: string;
  readonly name: string;
  readonly hour?: number;
  readonly day?: number;
}

interface UpdateOptions extends TenantOptions, RowOptions {
  readonly code: string;
  readonly name?: string;
  readonly hour?: OrNone<number>;
  readonly day?: OrNone<number>;
  readonly status?: ProductLineStatus;
  readonly expect?: number;
}

const COLUMNS: Columns<ProductLine> = {
  code: (line) => line.code,
  name: (line) => line.name,
  status: (line) => line.status,
  hourLimit: (line) => line.hourLimit,
  dayLimit: (line) => line.dayLimit,
  version: (line) => line.version,
  createdAt: (line) => line.createdAt,
};

const limit = orNone(wholeNumber);

const CREATE = example(
  'product-line create --tenant CH_123 --code APP_A --name "App A" --hour 100 --day 1000',
);

export function addProductLineCommands(program: Command): void {
  const group = program
    .command('product-line')
    .description('The apps and sites of a tenant.')
    .addHelpText('after', CREATE);
  addCreate(group);
  addList<object, ProductLine>(group, {
    description: 'List the product lines by their codes; a limit of - is the default of the installation.',
    example: 'product-line list --tenant CH_123',
    columns: COLUMNS,
    page: async ({ lines }, { tenant }, { offset, size }) => {
      const all = await lines.list(tenant);
      return { total: all.length, items: all.slice(offset, offset + size) };
    },
  });
  addUpdate(group);
}

function addCreate(group: Command): void {
  group
    .command('create')
    .description('Make a product line, and print its code.')
    .requiredOption('--tenant <id>', 'the tenant')
    .requiredOption('--code <code>', 'capitals, digits and underscores, e.g. APP_A')
    .requiredOption('--name <name>', 'the name that people read')
    .option('--hour <n>', "attempts in any hour; 0 is without limit, none the configuration's", wholeNumber)
    .option('--day <n>', "attempts in any day; 0 is without limit, none the configuration's", wholeNumber)
    .addHelpText('after', CREATE)
    .action(async (_options, command: Command) => {
      const line = await onTenant(command.optsWithGlobals<CreateOptions>(), async ({ lines }, options) => {
        const { tenant, code, name, hour = null, day = null } = options;
        return lines.create(tenant, { code, name, hourLimit: hour, dayLimit: day });
      });
      await printLine(line.code);
    });
}

function addUpdate(group: Command): void {
  group
    .command('update')
    .description(
      'Change a product line, and print what it is now. Nothing is redeemed through a DISABLED one.',
    )
    .requiredOption('--tenant <id>', 'the tenant')
    .requiredOption('--code <code>', 'the product line')
    .option('--name <name>', 'the name that people read')
    .option(
      '--hour <n>',
      'attempts in any hour; 0 is without limit, "none" takes the configuration\'s',
      limit,
    )
    .option('--day <n>', 'attempts in any day; 0 is without limit, "none" takes the configuration\'s', limit)
    .addOption(new Option('--status <status>', 'switch it off, or on again').choices(PRODUCT_LINE_STATUSES))
    .addOption(expectOption())
    .option('--json', 'print JSON')
    .addHelpText('after', example('product-line update --tenant CH_123 --code APP_A --hour 500'))
    .action(async (_options, command: Command) => {
      const line = await onTenant(
        command.optsWithGlobals<UpdateOptions>(),
        async ({ lineChanges }, options) => {
          const { tenant, code, name, hour, day, status, expect: expectedVersion } = options;
          const limits = { hourLimit: orNull(hour), dayLimit: orNull(day) };
          const changes = { name, ...limits, status, expectedVersion };
          return lineChanges.update(tenant, code, changes);
        },
      );
      await printRow(line, COLUMNS, command.optsWithGlobals<UpdateOptions>());
    });
}
