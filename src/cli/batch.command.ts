import type { CodeBatch } from '../codes/code-batch.entity.js';
import { addAction, ofTenant, type Bare } from './action.js';
import { example, instant } from './arguments.js';
import { addList, printRow } from './rows.js';
import { fields } from './table.js';

const COLUMNS = fields<CodeBatch>(
  'id',
  'campaignId',
  'status',
  'requested',
  'generated',
  'frozenAt',
  'voidedAt',
  'awaitsActivation',
  'extendedTo',
  'version',
  'createdAt',
);

const CHANGES = {
  cancel: 'End the generation of a batch; its codes are removed, and its quota is given back.',
  freeze: "Let a batch's codes not be redeemed until it is unfrozen.",
  unfreeze: 'Take a freeze back.',
  activate: "Let a batch's codes be redeemed that were made to be activated at sale.",
  void: "Let a batch's codes never be redeemed; their quota is given back.",
} as const;

export function addBatchCommands(program: Bare): void {
  const list = 'batch list --tenant CH_123 --campaign 7312345678901234';
  const group = program
    .command('batch')
    .description('Codes that were made together.')
    .addHelpText('after', example(list));
  addList(group, {
    description: 'List the batches, the newest first.',
    example: list,
    columns: COLUMNS,
    options: (command) => ofTenant(command).option('--campaign <id>', 'only those of this campaign'),
    page: async ({ codeReader }, { tenant, campaign = null }, page) =>
      codeReader.batches(tenant, { campaignId: campaign }, page),
  });
  for (const change of Object.keys(CHANGES) as (keyof typeof CHANGES)[])
    addAction(group, {
      name: change,
      description: CHANGES[change],
      example: `batch ${change} --tenant CH_123 --id 7312345678901234`,
      options: (command) =>
        ofTenant(command).requiredOption('--id <id>', 'the batch').option('--json', 'print JSON'),
      run: async ({ batchChanges }, { tenant, id }) => batchChanges[change](tenant, id),
      print: printRow(COLUMNS),
    });
  addAction(group, {
    name: 'extend',
    description:
      "Let a batch's codes be redeemed for longer, expired ones too. Codes without an end keep none.",
    example: 'batch extend --tenant CH_123 --id 7312345678901234 --to 2027-12-31T00:00:00Z',
    options: (command) =>
      ofTenant(command)
        .requiredOption('--id <id>', 'the batch')
        .requiredOption('--to <instant>', 'the new end of codes that would end earlier', instant)
        .option('--json', 'print JSON'),
    run: async ({ batchChanges }, { tenant, id, to }) => batchChanges.extend(tenant, id, { expiresAt: to }),
    print: printRow(COLUMNS),
  });
}
