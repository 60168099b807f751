import type { Command } from 'commander';
import type { Services } from '../app/modules.js';
import { example, type TenantOptions } from './arguments.js';
import { printLine } from './output.js';
import { addList } from './rows.js';
import { onTenant } from './session.js';

type DeadLetter = Awaited<ReturnType<Services['deadLetters']['page']>>['items'][number];

interface RedriveOptions extends TenantOptions {
  readonly order?: string;
  readonly all?: boolean;
}

const LIST = 'pending list --tenant DEMO';
const REDRIVE = example('pending redrive --tenant DEMO --order 7312345678901234');

export function addPendingCommands(program: Command): void {
  const group = program
    .command('pending')
    .description('Redemptions that were answered PROCESSING and could neither be settled nor given up.')
    .addHelpText('after', example(LIST));
  addList<object, DeadLetter>(group, {
    description: 'List those of a tenant, the latest first.',
    example: LIST,
    columns: {
      orderNo: (letter) => letter.orderNo,
      userId: (letter) => letter.userId,
      campaignId: (letter) => letter.campaignId,
      codeId: (letter) => letter.codeId,
      reason: (letter) => letter.reason,
      attempts: (letter) => letter.attempts,
      claimedAt: (letter) => letter.claimedAt,
      since: (letter) => letter.since,
    },
    page: async ({ deadLetters }, { tenant }, page) => deadLetters.page(tenant, page),
  });
  group
    .command('redrive')
    .description('Have one, or all of a tenant, tried again from the beginning; prints how many.')
    .requiredOption('--tenant <id>', 'the tenant')
    .option('--order <number>', 'its order number')
    .option('--all', 'all of the tenant; give either this or --order')
    .addHelpText('after', REDRIVE)
    .action(async (_options, command: Command) => {
      const redriven = await onTenant(
        command.optsWithGlobals<RedriveOptions>(),
        async ({ deadLetters }, { tenant, order = null, all = false }) =>
          deadLetters.redrive(tenant, { orderNo: order, all }),
      );
      await printLine(String(redriven));
    });
}
