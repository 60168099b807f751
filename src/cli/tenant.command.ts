import { Option } from '@commander-js/extra-typings';
import { TENANT_STATUSES, TENANT_TYPES, type Tenant } from '../tenancy/tenant.entity.js';
import { addAction, type Bare } from './action.js';
import { example, expectOption, wholeNumber } from './arguments.js';
import { printLine } from './output.js';
import { addList, printRow } from './rows.js';
import { fields } from './table.js';

const COLUMNS = fields<Tenant>(
  'id',
  'name',
  'type',
  'status',
  'codesIssued',
  'codeQuota',
  'timeZone',
  'version',
  'createdAt',
);

const CREATE = 'tenant create --id CH_123 --name "Channel 123" --quota 100000';

export function addTenantCommands(program: Bare): void {
  const group = program.command('tenant').description('Tenants.').addHelpText('after', example(CREATE));
  addCreate(group);
  addList(group, {
    description: 'List the tenants, the newest first.',
    example: 'tenant list --status ACTIVE',
    columns: COLUMNS,
    options: (command) =>
      command
        .addOption(new Option('--status <status>', 'only these').choices(TENANT_STATUSES))
        .addOption(new Option('--type <type>', 'only these').choices(TENANT_TYPES))
        .option('--part <text>', 'only where the id or the name holds it'),
    page: async ({ tenants }, { status = null, type = null, part = null }, page) =>
      tenants.page({ status, type, part }, page),
  });
  addUpdate(group);
}

function addCreate(group: Bare): void {
  addAction(group, {
    name: 'create',
    description: 'Make a tenant, and print its id.',
    example: CREATE,
    options: (command) =>
      command
        .requiredOption('--id <id>', 'capitals, digits and underscores, e.g. CH_123')
        .requiredOption('--name <name>', 'the name that people read')
        .addOption(
          new Option('--type <type>', 'PLATFORM may make further tenants')
            .choices(TENANT_TYPES)
            .default('CHANNEL' as const),
        )
        .option('--quota <n>', 'how many codes it may have; 0 is without limit', wholeNumber, 0)
        .option('--time-zone <name>', 'in which its days begin, e.g. Europe/Berlin', 'UTC'),
    run: async ({ tenants }, { id, name, type, quota: codeQuota, timeZone }) =>
      tenants.create({ id, name, type, codeQuota, timeZone }),
    print: async ({ id }) => printLine(id),
  });
}

function addUpdate(group: Bare): void {
  addAction(group, {
    name: 'update',
    description: 'Change a tenant, and print its new state. All requests of a DISABLED tenant are refused.',
    example: 'tenant update --id CH_123 --status DISABLED',
    options: (command) =>
      command
        .requiredOption('--id <id>', 'the tenant')
        .option('--name <name>', 'the name that people read')
        .option('--quota <n>', 'how many codes it may have; 0 is without limit', wholeNumber)
        .option('--time-zone <name>', 'in which its days begin, e.g. Europe/Berlin')
        .addOption(new Option('--status <status>', 'switch it off, or on again').choices(TENANT_STATUSES))
        .addOption(expectOption())
        .option('--json', 'print JSON'),
    run: async (
      { tenantChanges },
      { id, name, quota: codeQuota, timeZone, status, expect: expectedVersion },
    ) => tenantChanges.update(id, { name, codeQuota, timeZone, status, expectedVersion }),
    print: printRow(COLUMNS),
  });
}
