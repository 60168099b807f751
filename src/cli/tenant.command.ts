import { Option, type Command } from 'commander';
import {
  TENANT_STATUSES,
  TENANT_TYPES,
  type Tenant,
  type TenantStatus,
  type TenantType,
} from '../tenancy/tenant.entity.js';
import { example, expectOption, wholeNumber, type GlobalOptions } from './arguments.js';
import { printLine } from './output.js';
import { addList, printRow, type RowOptions } from './rows.js';
import { withServices } from './session.js';
import type { Columns } from './table.js';

interface CreateOptions extends GlobalOptions {
  readonly id: string;
  readonly name: string;
  readonly type: TenantType;
  readonly quota: number;
}

interface UpdateOptions extends RowOptions {
  readonly id: string;
  readonly name?: string;
  readonly quota?: number;
  readonly status?: TenantStatus;
  readonly expect?: number;
}

const COLUMNS: Columns<Tenant> = {
  id: (tenant) => tenant.id,
  name: (tenant) => tenant.name,
  type: (tenant) => tenant.type,
  status: (tenant) => tenant.status,
  codesIssued: (tenant) => tenant.codesIssued,
  codeQuota: (tenant) => tenant.codeQuota,
  version: (tenant) => tenant.version,
  createdAt: (tenant) => tenant.createdAt,
};

const CREATE = example('tenant create --id CH_123 --name "Channel 123" --quota 100000');

export function addTenantCommands(program: Command): void {
  const group = program.command('tenant').description('Tenants.').addHelpText('after', CREATE);
  addCreate(group);
  addList<{ status?: TenantStatus; type?: TenantType; part?: string }, Tenant>(group, {
    description: 'List the tenants, the newest first.',
    example: 'tenant list --status ACTIVE',
    isOfTenant: false,
    columns: COLUMNS,
    filters: (command) =>
      command
        .addOption(new Option('--status <status>', 'only these').choices(TENANT_STATUSES))
        .addOption(new Option('--type <type>', 'only these').choices(TENANT_TYPES))
        .option('--part <text>', 'only where the id or the name holds it'),
    page: async ({ tenants }, { status = null, type = null, part = null }, page) =>
      tenants.page({ status, type, part }, page),
  });
  addUpdate(group);
}

function addCreate(group: Command): void {
  group
    .command('create')
    .description('Make a tenant, and print its id.')
    .requiredOption('--id <id>', 'capitals, digits and underscores, e.g. CH_123')
    .requiredOption('--name <name>', 'the name that people read')
    .addOption(
      new Option('--type <type>', 'PLATFORM may make further tenants')
        .choices(TENANT_TYPES)
        .default('CHANNEL'),
    )
    .option('--quota <n>', 'how many codes it may have; 0 is without limit', wholeNumber, 0)
    .addHelpText('after', CREATE)
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<CreateOptions>();
      const { id, name, type, quota: codeQuota } = options;
      const tenant = await withServices(options, async ({ tenants }) =>
        tenants.create({ id, name, type, codeQuota }),
      );
      await printLine(tenant.id);
    });
}

function addUpdate(group: Command): void {
  group
    .command('update')
    .description('Change a tenant, and print what it is now. A DISABLED tenant does nothing any more.')
    .requiredOption('--id <id>', 'the tenant')
    .option('--name <name>', 'the name that people read')
    .option('--quota <n>', 'how many codes it may have; 0 is without limit', wholeNumber)
    .addOption(new Option('--status <status>', 'switch it off, or on again').choices(TENANT_STATUSES))
    .addOption(expectOption())
    .option('--json', 'print JSON')
    .addHelpText('after', example('tenant update --id CH_123 --status DISABLED'))
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<UpdateOptions>();
      const { id, name, quota: codeQuota, status, expect: expectedVersion } = options;
      const changed = await withServices(options, async ({ tenantChanges }) =>
        tenantChanges.update(id, { name, codeQuota, status, expectedVersion }),
      );
      await printRow(changed, COLUMNS, options);
    });
}
