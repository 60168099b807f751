import { migrateDown, migrateUp } from '../migrations/migrate.js';
import type { Bare } from './action.js';
import { example } from './arguments.js';
import { print } from './output.js';
import { withStores } from './session.js';

export function addMigrateCommand(program: Bare): void {
  program
    .command('migrate')
    .description('Bring the database to the newest schema; does nothing if it is there already.')
    .option('--down', 'take back the newest migration instead, and the data that it made room for')
    .addHelpText('after', example('migrate'))
    .action(async (_options, command) => {
      const options = command.optsWithGlobals();
      const isDown = options.down === true;
      const moved = await withStores(options, async ({ databaseUrl }) =>
        isDown ? migrateDown(databaseUrl) : migrateUp(databaseUrl),
      );
      const verb = isDown ? 'Took back' : 'Applied';
      const nothing = isDown
        ? 'No migration is left to take back.'
        : 'Nothing to do: the schema is up to date.';
      await print(moved.length === 0 ? `${nothing}\n` : moved.map((name) => `${verb} ${name}.\n`).join(''));
    });
}
