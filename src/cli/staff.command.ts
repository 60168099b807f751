import { Option } from '@commander-js/extra-typings';
import { STAFF_ROLES } from '../graphql/actor.js';
import { STAFF_STATUSES, type Staff } from '../identity/staff/staff.entity.js';
import type { InvitedStaff } from '../identity/staff/staff.service.js';
import { DomainError } from '../platform/errors.js';
import type { Services } from '../app/modules.js';
import { addAction, ofTenant, type Bare } from './action.js';
import { example, expectOption } from './arguments.js';
import { printLine, sayOnStderr } from './output.js';
import { addList, printRow } from './rows.js';
import { fields } from './table.js';

const COLUMNS = fields<Staff>('id', 'email', 'name', 'role', 'status', 'signedInAt', 'version', 'createdAt');

const INVITE = 'staff invite --tenant HQ --email alice@example.com --name "Alice" --role OWNER';

export function addStaffCommands(program: Bare): void {
  const group = program
    .command('staff')
    .description("Accounts of a tenant's staff. The first OWNER is invited here, further ones by GraphQL.")
    .addHelpText('after', example(INVITE));
  addInvite(group);
  addReset(group);
  addList(group, {
    description: 'List the accounts, the newest first.',
    example: 'staff list --tenant HQ --role OWNER',
    columns: COLUMNS,
    options: (command) =>
      ofTenant(command)
        .addOption(new Option('--role <role>', 'only these').choices(STAFF_ROLES))
        .addOption(new Option('--status <status>', 'only these').choices(STAFF_STATUSES))
        .option('--email <address>', 'only the one with this address'),
    page: async ({ staff }, { tenant, role = null, status = null, email = null }, page) =>
      staff.page(tenant, { role, status, email }, page),
  });
  addUpdate(group);
}

function addInvite(group: Bare): void {
  addAction(group, {
    name: 'invite',
    description:
      'Make an account, and print the token with which its owner sets the password: `acceptStaffInvitation`. It works once.',
    example: INVITE,
    options: (command) =>
      ofTenant(command)
        .requiredOption('--email <address>', 'with which the person signs in')
        .requiredOption('--name <name>', 'the name that people read')
        .addOption(
          new Option('--role <role>', 'what the member of staff may do')
            .choices(STAFF_ROLES)
            .makeOptionMandatory(),
        ),
    run: async ({ staff }, { tenant, email, name, role }) => staff.invite(tenant, { email, name, role }),
    print: printInvitation,
  });
}

function addReset(group: Bare): void {
  addAction(group, {
    name: 'reset',
    description:
      'Remove password and second factor of an account, end its sessions, and print a token for a new password.',
    example: 'staff reset --tenant HQ --email alice@example.com',
    options: (command) =>
      ofTenant(command).requiredOption('--email <address>', 'with which the person signs in'),
    run: async (services, { tenant, email }) =>
      services.staff.reset(tenant, await idOf(services, tenant, email)),
    print: printInvitation,
  });
}

function addUpdate(group: Bare): void {
  addAction(group, {
    name: 'update',
    description: 'Change an account, and print its new state. Another role or DISABLED ends its sessions.',
    example: 'staff update --tenant HQ --email bob@example.com --status DISABLED',
    options: (command) =>
      ofTenant(command)
        .requiredOption('--email <address>', 'with which the person signs in')
        .option('--name <name>', 'the name that people read')
        .addOption(new Option('--role <role>', 'what the member of staff may do').choices(STAFF_ROLES))
        .addOption(
          new Option('--status <status>', 'switch it off, or on again').choices(['ACTIVE', 'DISABLED']),
        )
        .addOption(expectOption())
        .option('--json', 'print JSON'),
    run: async (services, { tenant, email, name, role, status, expect: expectedVersion }) =>
      services.staffChanges.update(tenant, await idOf(services, tenant, email), {
        name,
        role,
        status,
        expectedVersion,
      }),
    print: printRow(COLUMNS),
  });
}

async function idOf({ staff }: Services, tenantId: string, email: string): Promise<string> {
  const found = await staff.findByEmail(tenantId, email);
  if (found !== null) return found.id;
  throw new DomainError('STAFF_NOT_FOUND', 'The tenant has no member of staff with this e-mail address.');
}

/** The token alone on standard output, so that a script can take it. */
async function printInvitation({ staff, invitationToken, expiresAt }: InvitedStaff): Promise<void> {
  sayOnStderr(`${staff.email} is invited as ${staff.role} until ${expiresAt.toISOString()}.`);
  await printLine(invitationToken);
}
