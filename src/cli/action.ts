import type { Command, OptionValues } from '@commander-js/extra-typings';
import type { Services } from '../app/modules.js';
import { example, type GlobalOptions } from './arguments.js';
import { withServices } from './session.js';

/** A command that others belong to, or whose options are being added. */
export type Bare<Options extends OptionValues = {}> = Command<[], Options, GlobalOptions>;

export const ofTenant = (command: Bare) => command.requiredOption('--tenant <id>', 'the tenant');

interface Action<Options extends OptionValues, Ready, Result> {
  readonly name: string;
  readonly description: string;
  readonly example: string;
  readonly options: (command: Bare) => Bare<Options>;
  /** What can fail before servers are started. */
  readonly prepare?: (options: Options) => Promise<Ready>;
  readonly run: (services: Services, options: Options, ready: Ready) => Promise<Result>;
  readonly print: (result: Result, options: Options & GlobalOptions) => Promise<void>;
}

/** Adds a command that does one thing with the services, and prints what it comes to. */
export function addAction<Options extends OptionValues, Result, Ready = undefined>(
  group: Bare,
  { name, description, options, prepare, run, print, ...action }: Action<Options, Ready, Result>,
): void {
  options(group.command(name).description(description))
    .addHelpText('after', example(action.example))
    .action(async (_options, command) => {
      const given = command.optsWithGlobals() as unknown as Options & GlobalOptions;
      const ready = (await prepare?.(given)) as Ready;
      await print(await withServices(given, async (services) => run(services, given, ready), command), given);
    });
}
