import { StartError } from '../platform/errors.js';
import { addAction, type Bare } from './action.js';
import { example } from './arguments.js';
import { printLine } from './output.js';

const SYNC = 'directory sync';

export function addDirectoryCommands(program: Bare): void {
  const group = program
    .command('directory')
    .description('The tenant directory, another system that owns names, types and statuses of tenants.')
    .addHelpText('after', example(SYNC));
  addAction(group, {
    name: 'sync',
    description: 'Ask it for the states of all tenants, and take over the newer ones; prints their number.',
    example: SYNC,
    options: (command) => command,
    run: async ({ config, directorySync }) => {
      if (config.DIRECTORY_URL === undefined)
        throw new StartError('There is no tenant directory: DIRECTORY_URL is not set.');
      return directorySync.run();
    },
    print: async (updated) => printLine(String(updated)),
  });
}
