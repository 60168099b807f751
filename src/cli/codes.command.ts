import { InvalidArgumentError } from '@commander-js/extra-typings';
import type { Services } from '../app/modules.js';
import { CODES_AT_ONCE_MAX } from '../campaigns/campaign-rule.js';
import { outsideOperation } from '../platform/recording/current-operation.js';
import { CODES_PER_BATCH_MAX } from '../codes/code-generation.service.js';
import type { Bare } from './action.js';
import { example, externalId, wholeNumber, type GlobalOptions } from './arguments.js';
import { finishBatch, writeBatch } from './batch-work.js';
import { openCodeSink, type CodeSink } from './code-sink.js';
import { addCodesAllocation } from './codes-allocation.command.js';
import { addCodesFiles } from './codes-files.command.js';
import { addCodesList } from './codes-list.command.js';
import { CliError } from './failures.js';
import type { NamedCommand } from './operator.js';
import { withServices } from './session.js';

interface GenerateOptions {
  readonly tenant: string;
  readonly campaign: string;
  readonly atSale?: true | undefined;
  readonly count: number;
  readonly key?: string | undefined;
}

const GENERATE = example(
  'codes generate --tenant CH_123 --campaign 7312345678901234 --count 25000 --key may --out codes.txt',
);
const FETCH = example('codes fetch --tenant CH_123 --batch 7312345678901234 --out codes.txt');
const OUT = ['--out <file>', 'a new file for the codes, readable by its owner alone'] as const;

export function addCodesCommands(program: Bare): void {
  const group = program.command('codes').description('Codes of a campaign.').addHelpText('after', GENERATE);
  addCodesList(group);
  addCodesFiles(group);
  addCodesAllocation(group);
  group
    .command('generate')
    .description('Make a batch of codes, and print them, one a line. They are ready when they are printed.')
    .requiredOption('--tenant <id>', 'the tenant')
    .requiredOption('--campaign <id>', 'the campaign')
    .requiredOption('--count <n>', `how many, up to ${CODES_PER_BATCH_MAX}`, codeCount)
    .option('--key <key>', 'idempotency key: the same call again resumes the same batch', externalId)
    .option('--at-sale', 'cannot be redeemed before `batch activate`')
    .option(...OUT)
    .addHelpText('after', GENERATE)
    .action(async (_options, command) => {
      const options = command.optsWithGlobals();
      await withSink(options, command, async (services, sink) => generate(services, options, sink));
    });
  group
    .command('fetch')
    .description(
      'Print the codes of a batch, one a line. A HASHED campaign hands those of a large batch out once.',
    )
    .requiredOption('--tenant <id>', 'the tenant')
    .requiredOption('--batch <id>', 'the batch')
    .option(...OUT)
    .addHelpText('after', FETCH)
    .action(async (_options, command) => {
      const { tenant, batch: id, ...options } = command.optsWithGlobals();
      await withSink({ tenant, ...options }, command, async (services, sink) => {
        const batch = await services.codeReader.batch(tenant, id);
        if (batch === null) throw new CliError(`The tenant has no batch ${JSON.stringify(id)}.`);
        await services.transactions.recordOperation(tenant, { type: 'code_batch', id });
        await outsideOperation(async () => writeBatch(services, batch, sink));
      });
    });
}

async function withSink(
  options: GlobalOptions & { readonly tenant: string; readonly out?: string | undefined },
  command: NamedCommand,
  work: (services: Services, sink: CodeSink) => Promise<void>,
): Promise<void> {
  const sink = await openCodeSink(options.out);
  try {
    await withServices(options, async (services) => work(services, sink), command);
  } finally {
    await sink.close();
  }
}

async function generate(services: Services, options: GenerateOptions, sink: CodeSink): Promise<void> {
  const { tenant, campaign: campaignId, count, key = null, atSale = false } = options;
  const wanted = { campaignId, count, idempotencyKey: key, activateAtSale: atSale };
  const { batch, codes } = await services.generation.generate(tenant, wanted);
  if (codes !== null) return sink.write(codes);
  // Its order is recorded; the codes are made as by a worker.
  if (batch.requested > CODES_AT_ONCE_MAX)
    return outsideOperation(async () => finishBatch(services, batch, sink));
  throw new CliError(
    `The codes of batch ${batch.id} were made by an earlier call with this key, and the campaign does not keep them.`,
  );
}

function codeCount(text: string): number {
  const count = wholeNumber(text);
  if (count > 0 && count <= CODES_PER_BATCH_MAX) return count;
  throw new InvalidArgumentError(`Give a number from 1 to ${CODES_PER_BATCH_MAX}.`);
}
