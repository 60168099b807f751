import { Option } from '@commander-js/extra-typings';
import { PRODUCT_LINE_STATUSES, type ProductLine } from '../tenancy/product-line.entity.js';
import { addAction, ofTenant, type Bare } from './action.js';
import { example, expectOption, orNone, orNull, wholeNumber } from './arguments.js';
import { printLine } from './output.js';
import { addList, printRow } from './rows.js';
import { fields } from './table.js';

const COLUMNS = fields<ProductLine>(
  'code',
  'name',
  'status',
  'hourLimit',
  'dayLimit',
  'version',
  'createdAt',
);

const limit = orNone(wholeNumber);

const CREATE = 'product-line create --tenant CH_123 --code APP_A --name "App A" --hour 100 --day 1000';

export function addProductLineCommands(program: Bare): void {
  const group = program
    .command('product-line')
    .description('The apps and sites of a tenant.')
    .addHelpText('after', example(CREATE));
  addCreate(group);
  addList(group, {
    description: 'List the product lines by their codes; a limit of - is the default of the installation.',
    example: 'product-line list --tenant CH_123',
    columns: COLUMNS,
    options: ofTenant,
    page: async ({ lines }, { tenant }, { offset, size }) => {
      const all = await lines.list(tenant);
      return { total: all.length, items: all.slice(offset, offset + size) };
    },
  });
  addUpdate(group);
}

function addCreate(group: Bare): void {
  addAction(group, {
    name: 'create',
    description: 'Make a product line, and print its code.',
    example: CREATE,
    options: (command) =>
      ofTenant(command)
        .requiredOption('--code <code>', 'capitals, digits and underscores, e.g. APP_A')
        .requiredOption('--name <name>', 'the name that people read')
        .option(
          '--hour <n>',
          "attempts in any hour; 0 is without limit, none the configuration's",
          wholeNumber,
        )
        .option(
          '--day <n>',
          "attempts in any day; 0 is without limit, none the configuration's",
          wholeNumber,
        ),
    run: async ({ lines }, { tenant, code, name, hour = null, day = null }) =>
      lines.create(tenant, { code, name, hourLimit: hour, dayLimit: day }),
    print: async ({ code }) => printLine(code),
  });
}

function addUpdate(group: Bare): void {
  addAction(group, {
    name: 'update',
    description:
      'Change a product line, and print its new state. Nothing is redeemed through a DISABLED one.',
    example: 'product-line update --tenant CH_123 --code APP_A --hour 500',
    options: (command) =>
      ofTenant(command)
        .requiredOption('--code <code>', 'the product line')
        .option('--name <name>', 'the name that people read')
        .option(
          '--hour <n>',
          'attempts in any hour; 0 is without limit, "none" takes the configuration\'s',
          limit,
        )
        .option(
          '--day <n>',
          'attempts in any day; 0 is without limit, "none" takes the configuration\'s',
          limit,
        )
        .addOption(
          new Option('--status <status>', 'switch it off, or on again').choices(PRODUCT_LINE_STATUSES),
        )
        .addOption(expectOption())
        .option('--json', 'print JSON'),
    run: async ({ lines }, { tenant, code, name, hour, day, status, expect: expectedVersion }) => {
      const limits = { hourLimit: orNull(hour), dayLimit: orNull(day) };
      return lines.update(tenant, code, { name, ...limits, status, expectedVersion });
    },
    print: printRow(COLUMNS),
  });
}
