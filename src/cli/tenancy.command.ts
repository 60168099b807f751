import { Option, type Command } from 'commander';
import { TENANT_TYPES, type TenantType } from '../tenancy/tenant.entity.js';
import { example, wholeNumber, type GlobalOptions, type TenantOptions } from './arguments.js';
import { printLine } from './output.js';
import { assertTenant, withServices } from './session.js';

interface TenantCreateOptions extends GlobalOptions {
  readonly id: string;
  readonly name: string;
  readonly type: TenantType;
  readonly quota: number;
}

interface ProductLineCreateOptions extends TenantOptions {
  readonly code: string;
  readonly name: string;
  readonly hour?: number;
  readonly day?: number;
}

const CREATE_TENANT = example('tenant create --id CH_123 --name "Channel 123" --quota 100000');
const CREATE_PRODUCT_LINE = example(
  'product-line create --tenant CH_123 --code APP_A --name "App A" --hour 100 --day 1000',
);

export function addTenancyCommands(program: Command): void {
  addTenantCreate(program.command('tenant').description('Tenants.').addHelpText('after', CREATE_TENANT));
  addProductLineCreate(
    program
      .command('product-line')
      .description('The apps and sites of a tenant.')
      .addHelpText('after', CREATE_PRODUCT_LINE),
  );
}

function addTenantCreate(group: Command): void {
  group
    .command('create')
    .description('Make a tenant, and print its id.')
    .requiredOption('--id <id>', 'capitals and digits, joined by single underscores, e.g. CH_123')
    .requiredOption('--name <name>', 'the name that people read')
    .addOption(
      new Option('--type <type>', 'PLATFORM may make further tenants')
        .choices(TENANT_TYPES)
        .default('CHANNEL'),
    )
    .option('--quota <n>', 'how many codes it may have; 0 is without limit', wholeNumber, 0)
    .addHelpText('after', CREATE_TENANT)
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<TenantCreateOptions>();
      const { id, name, type, quota: codeQuota } = options;
      const tenant = await withServices(options, async ({ tenants }) =>
        tenants.create({ id, name, type, codeQuota }),
      );
      await printLine(tenant.id);
    });
}

function addProductLineCreate(group: Command): void {
  group
    .command('create')
    .description('Make a product line, and print its code.')
    .requiredOption('--tenant <id>', 'the tenant')
    .requiredOption('--code <code>', 'capitals and digits, joined by single underscores, e.g. APP_A')
    .requiredOption('--name <name>', 'the name that people read')
    .option('--hour <n>', "attempts in any hour; 0 is without limit, none the configuration's", wholeNumber)
    .option('--day <n>', "attempts in any day; 0 is without limit, none the configuration's", wholeNumber)
    .addHelpText('after', CREATE_PRODUCT_LINE)
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<ProductLineCreateOptions>();
      const { tenant, code, name, hour, day } = options;
      const line = await withServices(options, async (services) => {
        await assertTenant(services, tenant);
        return services.lines.create(tenant, { code, name, hourLimit: hour ?? null, dayLimit: day ?? null });
      });
      await printLine(line.code);
    });
}
