import type { Bare } from './action.js';
import { example } from './arguments.js';
import { CliError } from './failures.js';
import { printLine } from './output.js';
import { openProgress } from './progress.js';
import { outsideOperation } from '../platform/recording/current-operation.js';
import { withServices } from './session.js';

const HELP = `
For a rotation of the pepper: run it when all processes know the new CODE_PEPPER and the old CODE_PEPPER_PREVIOUS. It
works beside redemptions, in small chunks, and resumes when it is run again. Codes of campaigns that keep
digests only stay under their pepper.
Exit status: 0 all that can be moved is moved; 1 something is left, or processes do not know the new pepper yet.`;

export function addRedigestCommand(program: Bare): void {
  program
    .command('redigest')
    .description('Move codes from previous peppers to the current one.')
    .addHelpText('after', HELP + example('redigest'))
    .action(async (_options, command) => {
      const report = await withServices(
        command.optsWithGlobals(),
        async ({ redigest, transactions }) => {
          const counts = await redigest.counts();
          for (const tenantId of counts.keys())
            await transactions.recordOperation(tenantId, { type: 'code', id: 'all' });
          const progress = openProgress([...counts.values()].reduce((sum, count) => sum + count, 0));
          let moved = 0;
          const onMoved = (count: number): void => {
            moved += count;
            progress.reach(moved);
          };
          return outsideOperation(async () => redigest.run(onMoved)).finally(() => progress.stop());
        },
        command,
      );
      if (report.waitsFor > 0) {
        throw new CliError(
          `${report.waitsFor} processes at work do not know the new pepper: restart them with CODE_PEPPER and CODE_PEPPER_PREVIOUS. One that was killed counts for 15 minutes.`,
        );
      }
      await printLine(`Moved ${report.moved} codes to the current pepper.`);
      if (report.held > 0)
        await printLine(`${report.held} codes have open claims: run it again when these are settled.`);
      if (report.odd.length > 0)
        await printLine(
          `${report.odd.length} codes have a digest that is not that of their text, or the text of another code: ${report.odd.slice(0, 10).join(', ')}.`,
        );
      await printLine(
        report.needed === 0
          ? 'No code needs a previous pepper: CODE_PEPPER_PREVIOUS can go.'
          : 'Keep CODE_PEPPER_PREVIOUS: some codes still need it.',
      );
      if (report.held > 0 || report.odd.length > 0) process.exitCode = 1;
    });
}
