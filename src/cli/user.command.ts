import { Option, type Command } from 'commander';
import { USER_STATUSES, type User, type UserStatus } from '../identity/users/user.entity.js';
import { collected, example, expectOption, externalId, type TenantOptions } from './arguments.js';
import { addList, printRow, type RowOptions } from './rows.js';
import { onTenant } from './session.js';
import type { Columns } from './table.js';

interface UpdateOptions extends TenantOptions, RowOptions {
  readonly user: string;
  readonly status?: UserStatus;
  readonly tag?: readonly string[];
  /** False for `--no-tags`. */
  readonly tags: boolean;
  readonly expect?: number;
}

const COLUMNS: Columns<User> = {
  id: (user) => user.id,
  externalId: (user) => user.externalId,
  status: (user) => user.status,
  tags: (user) => user.tags,
  version: (user) => user.version,
  createdAt: (user) => user.createdAt,
};

const UPDATE = example('user update --tenant CH_123 --user alice --status DISABLED');

export function addUserCommands(program: Command): void {
  const group = program
    .command('user')
    .description('Users of a tenant. A user is made by `token`, or by the first redemption.')
    .addHelpText('after', UPDATE);
  addList<{ status?: UserStatus; user?: string }, User>(group, {
    description: 'List the users, the newest first.',
    example: 'user list --tenant CH_123 --status DISABLED',
    columns: COLUMNS,
    filters: (command) =>
      command
        .addOption(new Option('--status <status>', 'only these').choices(USER_STATUSES))
        .option('--user <id>', "only the one with this id in the tenant's own system", externalId),
    page: async ({ users }, { tenant, status = null, user = null }, page) =>
      users.page(tenant, { status, externalUserId: user }, page),
  });
  group
    .command('update')
    .description('Change a user, and print what they are now. A DISABLED user redeems nothing.')
    .requiredOption('--tenant <id>', 'the tenant')
    .requiredOption('--user <id>', "the user's id in the tenant's own system", externalId)
    .addOption(new Option('--status <status>', 'switch them off, or on again').choices(USER_STATUSES))
    .option('--tag <tag>', 'a tag, in place of the former ones; may be given again', collected)
    .option('--no-tags', 'take all tags away')
    .addOption(expectOption())
    .option('--json', 'print JSON')
    .addHelpText('after', UPDATE)
    .action(async (_options, command: Command) => {
      const user = await onTenant(
        command.optsWithGlobals<UpdateOptions>(),
        async ({ userChanges }, options) => {
          const { tenant, user: externalUserId, status, tag, tags, expect: expectedVersion } = options;
          const wanted = tags ? tag && [...tag] : [];
          return userChanges.update(tenant, { externalUserId, status, tags: wanted, expectedVersion });
        },
      );
      await printRow(user, COLUMNS, command.optsWithGlobals<UpdateOptions>());
    });
}
