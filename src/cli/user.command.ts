import { Option } from '@commander-js/extra-typings';
import { USER_STATUSES, type User } from '../identity/users/user.entity.js';
import { addAction, ofTenant, type Bare } from './action.js';
import { collected, example, expectOption, externalId } from './arguments.js';
import { writeOut } from './codes-files.command.js';
import { printLine } from './output.js';
import { addList, printRow } from './rows.js';
import { userIdOf } from './user-id.js';
import { fields } from './table.js';

const COLUMNS = fields<User>('id', 'externalId', 'status', 'tags', 'version', 'createdAt');

const UPDATE = 'user update --tenant CH_123 --user alice --status DISABLED';

export function addUserCommands(program: Bare): void {
  const group = program
    .command('user')
    .alias('users')
    .description('Users of a tenant. A user is made by `token`, or by the first redemption.')
    .addHelpText('after', example(UPDATE));
  addList(group, {
    description: 'List the users, the newest first.',
    example: 'user list --tenant CH_123 --status DISABLED',
    columns: COLUMNS,
    options: (command) =>
      ofTenant(command)
        .addOption(new Option('--status <status>', 'only these').choices(USER_STATUSES))
        .option('--user <id>', "only the one with this id in the tenant's own system", externalId),
    page: async ({ users }, { tenant, status = null, user = null }, page) =>
      users.page(tenant, { status, externalUserId: user }, page),
  });
  addAction(group, {
    name: 'update',
    description: 'Change a user, and print the new state. A DISABLED user redeems nothing.',
    example: UPDATE,
    options: (command) =>
      ofTenant(command)
        .requiredOption('--user <id>', "the user's id in the tenant's own system", externalId)
        .addOption(new Option('--status <status>', 'switch them off, or on again').choices(USER_STATUSES))
        .option('--tag <tag>', 'a tag, in place of the former ones; may be given again', collected)
        .option('--no-tags', 'remove all tags')
        .addOption(expectOption())
        .option('--json', 'print JSON'),
    run: async ({ userChanges }, { tenant, user: externalUserId, status, tag, tags, expect }) =>
      userChanges.update(tenant, { externalUserId, status, tags: tags ? tag : [], expectedVersion: expect }),
    print: printRow(COLUMNS),
  });
  addPersonalData(group);
}

const ofUser = (command: Bare) =>
  ofTenant(command).requiredOption('--user <id>', "the user's id in the tenant's own system", externalId);

function addPersonalData(group: Bare): void {
  addAction(group, {
    name: 'export',
    description: 'Write everything that is stored about a user as JSON, without secrets.',
    example: 'user export --tenant CH_123 --user alice --out alice.json',
    options: (command) =>
      ofUser(command).option('--out <file>', 'a new file, readable by its owner alone; else standard output'),
    run: async ({ users, userExport }, { tenant, user, out }) =>
      writeOut(out, userExport.text(tenant, await userIdOf(users, tenant, user))),
    print: async () => undefined,
  });
  addAction(group, {
    name: 'erase',
    description:
      'Erase the personal data of a user for good, and print when. Balances, orders and redemptions stay, under an id without a person.',
    example: 'user erase --tenant CH_123 --user alice',
    options: (command) =>
      ofUser(command).option(
        '--give-up-holdings',
        'also where the user holds a balance, a subscription or the like',
      ),
    run: async ({ users, userErasure }, { tenant, user, giveUpHoldings = false }) =>
      userErasure.erase(tenant, { userId: await userIdOf(users, tenant, user), giveUpHoldings }),
    print: async (erasedAt) => printLine(erasedAt.toISOString()),
  });
}
