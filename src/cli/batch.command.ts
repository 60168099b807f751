import type { Command } from 'commander';
import type { CodeBatch } from '../codes/code-batch.entity.js';
import { example, type TenantOptions } from './arguments.js';
import { addList, printRow, type RowOptions } from './rows.js';
import { onTenant } from './session.js';
import type { Columns } from './table.js';

interface ChangeOptions extends TenantOptions, RowOptions {
  readonly id: string;
}

const COLUMNS: Columns<CodeBatch> = {
  id: (batch) => batch.id,
  campaignId: (batch) => batch.campaignId,
  status: (batch) => batch.status,
  generated: (batch) => batch.generated,
  frozenAt: (batch) => batch.frozenAt,
  voidedAt: (batch) => batch.voidedAt,
  version: (batch) => batch.version,
  createdAt: (batch) => batch.createdAt,
};

const CHANGES = {
  freeze: "Let a batch's codes not be redeemed until it is unfrozen.",
  unfreeze: 'Take a freeze back.',
  void: "Let a batch's codes never be redeemed; their quota is given back.",
} as const;

export function addBatchCommands(program: Command): void {
  const list = 'batch list --tenant CH_123 --campaign 7312345678901234';
  const group = program
    .command('batch')
    .description('Codes that were made together.')
    .addHelpText('after', example(list));
  addList<{ campaign?: string }, CodeBatch>(group, {
    description: 'List the batches, the newest first.',
    example: list,
    columns: COLUMNS,
    filters: (command) => command.option('--campaign <id>', 'only those of this campaign'),
    page: async ({ codeReader }, { tenant, campaign = null }, page) =>
      codeReader.batches(tenant, { campaignId: campaign }, page),
  });
  for (const change of Object.keys(CHANGES) as (keyof typeof CHANGES)[]) {
    group
      .command(change)
      .description(CHANGES[change])
      .requiredOption('--tenant <id>', 'the tenant')
      .requiredOption('--id <id>', 'the batch')
      .option('--json', 'print JSON')
      .addHelpText('after', example(`batch ${change} --tenant CH_123 --id 7312345678901234`))
      .action(async (_options, command: Command) => {
        const batch = await onTenant(
          command.optsWithGlobals<ChangeOptions>(),
          async ({ batchChanges }, { tenant, id }) => batchChanges[change](tenant, id),
        );
        await printRow(batch, COLUMNS, command.optsWithGlobals<ChangeOptions>());
      });
  }
}
