import type { Command } from 'commander';
import { example, type GlobalOptions } from './arguments.js';
import { InterruptedError, NotLookedError } from './failures.js';
import { print, printLine } from './output.js';
import { reportText } from './report-text.js';
import { assertTenant, withServices } from './session.js';

interface ReconcileOptions extends GlobalOptions {
  readonly tenant?: string;
  readonly repair?: boolean;
  readonly json?: boolean;
}

const HELP = `
Looks at everything twice where it has a doubt, so redemptions under way raise no alarm, and it may run at any time.
A repair mends what Redis holds, by what the database says; what the database holds is for a person to mend.
Exit status: 0 clean, or all that was found is mended; 1 drift; 2 it could not look.`;

export function addReconcileCommand(program: Command): void {
  program
    .command('reconcile')
    .description(
      'Compare what Redis and the database hold, and print a report with a verdict for each invariant.',
    )
    .option('--tenant <id>', 'only this tenant')
    .option('--repair', 'mend what Redis holds')
    .option('--json', 'print the report as JSON')
    .addHelpText('after', HELP + example('reconcile --tenant DEMO'))
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<ReconcileOptions>();
      const report = await looked(async () =>
        withServices(options, async (services) => {
          const tenantId = options.tenant ?? null;
          if (tenantId !== null) await assertTenant(services, tenantId);
          return services.reconciler.run({ tenantId, repair: options.repair === true });
        }),
      );
      if (options.json === true) await printLine(JSON.stringify(report, null, 2));
      else await print(reportText(report));
      if (report.verdict === 'DRIFT') process.exitCode = 1;
    });
}

/** Status 1 is a finding, so whatever keeps the command from looking has another. */
async function looked<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof InterruptedError) throw error;
    throw new NotLookedError('It could not look.', { cause: error });
  }
}
