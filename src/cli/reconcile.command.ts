import type { Bare } from './action.js';
import { example } from './arguments.js';
import { InterruptedError, NotLookedError } from './failures.js';
import { print, printLine } from './output.js';
import { reportText } from './report-text.js';
import { withServices } from './session.js';

const HELP = `
Each finding is checked again after two seconds, so redemptions under way raise no alarm, and it may run at any time.
A repair corrects Redis by the database; wrong rows of the database are for a person to correct.
Exit status: 0 clean, or every drift was corrected; 1 drift; 2 the comparison failed.`;

export function addReconcileCommand(program: Bare): void {
  program
    .command('reconcile')
    .description('Compare Redis and the database, and print a report with a verdict for each invariant.')
    .option('--tenant <id>', 'only this tenant')
    .option('--repair', 'correct Redis')
    .option('--json', 'print the report as JSON')
    .addHelpText('after', HELP + example('reconcile --tenant DEMO'))
    .action(async (_options, command) => {
      const options = command.optsWithGlobals();
      const { tenant: tenantId = null, repair = false } = options;
      const report = await looked(async () =>
        withServices(
          options,
          async ({ reconciler }) => reconciler.run({ tenantId, repair }),
          repair ? command : undefined,
        ),
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
    throw new NotLookedError('The comparison failed.', { cause: error });
  }
}
