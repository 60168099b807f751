import { addAction, ofTenant, type Bare } from './action.js';
import { example, externalId, instant, wholeNumber } from './arguments.js';
import { printLine } from './output.js';
import { userIdOf } from './user-id.js';

const GRANT = 'points grant --tenant CH_123 --user alice --amount 500 --days 365';

export function addPointsCommands(program: Bare): void {
  const group = program
    .command('points')
    .description('Points of users.')
    .addHelpText('after', example(GRANT));
  addAction(group, {
    name: 'grant',
    description: 'Grant points to a user, and print the id of the grant.',
    example: GRANT,
    options: (command) =>
      ofTenant(command)
        .requiredOption('--user <id>', "the user's id in the tenant's own system", externalId)
        .requiredOption('--amount <n>', 'how many', wholeNumber)
        .option('--days <n>', 'days until they expire; else never', wholeNumber)
        .option('--expires <instant>', 'when they expire, in place of days', instant)
        .option('--key <key>', 'idempotency key: the same call again grants nothing more', externalId),
    run: async ({ pointsGrants, users }, { tenant, user, amount, days, expires, key }) => {
      const userId = await userIdOf(users, tenant, user);
      const terms = { validDays: days, expiresAt: expires, idempotencyKey: key };
      return pointsGrants.grant(tenant, { userId, amount, ...terms });
    },
    print: async ({ lot }) => printLine(lot.id),
  });
}
