import type { Command } from 'commander';
import { example, type GlobalOptions } from './arguments.js';
import { print } from './output.js';
import { assertTenant, withServices } from './session.js';

interface CompensateOptions extends GlobalOptions {
  readonly tenant?: string;
}

export function addCompensateCommand(program: Command): void {
  program
    .command('compensate')
    .description(
      'Bring Redis and the database in step: settle claims left open, and drop what Redis holds wrongly.',
    )
    .option('--tenant <id>', 'only this tenant')
    .addHelpText('after', example('compensate --tenant DEMO'))
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<CompensateOptions>();
      const { swept, mended, left, failed } = await withServices(options, async (services) => {
        const tenantId = options.tenant ?? null;
        if (tenantId !== null) await assertTenant(services, tenantId);
        return services.compensation.run(tenantId);
      });
      const lines = [
        ...(swept > 0 ? [`Settled ${swept} claims past their deadline.`] : []),
        ...Object.entries(mended).map(([kind, count]) => `Mended ${count} ${kind}.`),
        ...Object.entries(left).map(([kind, count]) => `Could not mend ${count} ${kind}.`),
        ...failed.map((tenantId) => `Could not compare what Redis holds of ${tenantId}; the log says why.`),
      ];
      await print(lines.length === 0 ? 'Nothing to do: 0 settled, 0 mended.\n' : `${lines.join('\n')}\n`);
      if (Object.keys(left).length > 0 || failed.length > 0) process.exitCode = 1;
    });
}
