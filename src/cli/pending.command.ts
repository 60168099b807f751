import type { Command } from 'commander';
import { example, wholeNumber, type TenantOptions } from './arguments.js';
import { printLine } from './output.js';
import { assertTenant, withServices } from './session.js';

interface ListOptions extends TenantOptions {
  readonly page: number;
  readonly size: number;
}

interface RedriveOptions extends TenantOptions {
  readonly order?: string;
  readonly all?: boolean;
}

const LIST = example('pending list --tenant DEMO');
const REDRIVE = example('pending redrive --tenant DEMO --order 7312345678901234');

export function addPendingCommands(program: Command): void {
  const group = program
    .command('pending')
    .description('Redemptions that were answered PROCESSING and could neither be settled nor given up.')
    .addHelpText('after', LIST);
  group
    .command('list')
    .description('List those of a tenant as JSON, the latest first.')
    .requiredOption('--tenant <id>', 'the tenant')
    .option('--page <n>', 'which page', wholeNumber, 1)
    .option('--size <n>', 'how many a page', wholeNumber, 100)
    .addHelpText('after', LIST)
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<ListOptions>();
      const page = await withServices(options, async (services) => {
        await assertTenant(services, options.tenant);
        const size = Math.max(options.size, 1);
        return services.deadLetters.page(options.tenant, {
          offset: (Math.max(options.page, 1) - 1) * size,
          size,
        });
      });
      await printLine(JSON.stringify(page, null, 2));
    });
  group
    .command('redrive')
    .description('Have one, or all of a tenant, tried again from the beginning; prints how many.')
    .requiredOption('--tenant <id>', 'the tenant')
    .option('--order <number>', 'its order number')
    .option('--all', 'all of the tenant; give either this or --order')
    .addHelpText('after', REDRIVE)
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<RedriveOptions>();
      const redriven = await withServices(options, async (services) => {
        await assertTenant(services, options.tenant);
        return services.deadLetters.redrive(options.tenant, {
          orderNo: options.order ?? null,
          all: options.all ?? false,
        });
      });
      await printLine(String(redriven));
    });
}
