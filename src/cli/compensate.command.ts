import { addAction, type Bare } from './action.js';
import { print } from './output.js';

export function addCompensateCommand(program: Bare): void {
  addAction(program, {
    name: 'compensate',
    description:
      'Correct Redis by the database: settle open claims past their deadline, and drop wrong entries.',
    example: 'compensate --tenant DEMO',
    options: (command) => command.option('--tenant <id>', 'only this tenant'),
    run: async ({ compensation }, { tenant = null }) => compensation.run(tenant),
    print: async ({ swept, mended, left, failed }) => {
      const lines = [
        ...(swept > 0 ? [`Settled ${swept} claims past their deadline.`] : []),
        ...Object.entries(mended).map(([kind, count]) => `Mended ${count} ${kind}.`),
        ...Object.entries(left).map(([kind, count]) => `Could not mend ${count} ${kind}.`),
        ...failed.map((tenantId) => `Could not compare what Redis holds of ${tenantId}; the log says why.`),
      ];
      await print(lines.length === 0 ? 'Nothing to do: 0 settled, 0 mended.\n' : `${lines.join('\n')}\n`);
      if (Object.keys(left).length > 0 || failed.length > 0) process.exitCode = 1;
    },
  });
}
