import { addAction, ofTenant, type Bare } from './action.js';
import { example } from './arguments.js';
import { printLine } from './output.js';
import { addList } from './rows.js';
import { fields } from './table.js';

const LIST = 'pending list --tenant DEMO';

export function addPendingCommands(program: Bare): void {
  const group = program
    .command('pending')
    .description('Redemptions that were answered PROCESSING and could neither be settled nor aborted.')
    .addHelpText('after', example(LIST));
  addList(group, {
    description: 'List those of a tenant, the latest first.',
    example: LIST,
    options: ofTenant,
    page: async ({ deadLetters }, { tenant }, page) => deadLetters.page(tenant, page),
    columns: fields('orderNo', 'userId', 'campaignId', 'codeId', 'reason', 'attempts', 'claimedAt', 'since'),
  });
  addAction(group, {
    name: 'redrive',
    description: 'Retry one, or all of a tenant, with fresh attempts; prints their number.',
    example: 'pending redrive --tenant DEMO --order 7312345678901234',
    options: (command) =>
      ofTenant(command)
        .option('--order <number>', 'its order number')
        .option('--all', 'all of the tenant; give either this or --order'),
    run: async ({ deadLetters }, { tenant, order = null, all = false }) =>
      deadLetters.redrive(tenant, { orderNo: order, all }),
    print: async (redriven) => printLine(String(redriven)),
  });
}
