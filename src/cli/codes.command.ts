import { InvalidArgumentError } from '@commander-js/extra-typings';
import type { Services } from '../app/modules.js';
import { CODES_AT_ONCE_MAX } from '../campaigns/campaign-rule.js';
import type { Bare } from './action.js';
import { example, externalId, wholeNumber } from './arguments.js';
import { openCodeSink, type CodeSink } from './code-sink.js';
import { addCodesList } from './codes-list.command.js';
import { CliError } from './failures.js';
import { openProgress, type Progress } from './progress.js';
import { withServices } from './session.js';

const KEY_LENGTH_MAX = 64;

interface GenerateOptions {
  readonly tenant: string;
  readonly campaign: string;
  readonly atSale?: true | undefined;
}

interface Generation {
  readonly count: number;
  readonly idempotencyKey: string | null;
}

const GENERATE = example(
  'codes generate --tenant CH_123 --campaign 7312345678901234 --count 25000 --key may --out codes.txt',
);

export function addCodesCommands(program: Bare): void {
  const group = program.command('codes').description('Codes of a campaign.').addHelpText('after', GENERATE);
  addCodesList(group);
  group
    .command('generate')
    .description('Make codes, and print them, one a line. They are ready as soon as they are printed.')
    .requiredOption('--tenant <id>', 'the tenant')
    .requiredOption('--campaign <id>', 'the campaign')
    .requiredOption('--count <n>', `how many; above ${CODES_AT_ONCE_MAX} in several batches`, positiveNumber)
    .option('--key <key>', 'idempotency key: the same call again prints the same codes', externalId)
    .option('--at-sale', 'cannot be redeemed before `batch activate`')
    .option('--out <file>', 'a new file for the codes, readable by its owner alone')
    .addHelpText('after', GENERATE)
    .action(async (_options, command) => {
      const options = command.optsWithGlobals();
      const generations = generationsOf(options.count, options.key ?? null);
      const sink = await openCodeSink(options.out);
      try {
        await withServices(options, async (services) => {
          // Codes that run over the terminal show the progress themselves, and a bar between them would garble both.
          const progress = openProgress(options.count, sink.isTerminal);
          await generateAll(services, options, generations, { sink, progress }).finally(() =>
            progress.stop(),
          );
        });
      } finally {
        await sink.close();
      }
    });
}

async function generateAll(
  { generation }: Services,
  { tenant, campaign: campaignId, atSale }: GenerateOptions,
  generations: readonly Generation[],
  { sink, progress }: { readonly sink: CodeSink; readonly progress: Progress },
): Promise<void> {
  for (const wanted of generations) {
    const { codes, batch } = await generation.generate(tenant, {
      campaignId,
      activateAtSale: atSale === true,
      ...wanted,
    });
    if (codes === null) {
      throw new CliError(
        `The codes of batch ${batch.id} were made by an earlier call with this key, and the campaign does not keep them.`,
      );
    }
    await sink.write(codes);
    progress.add(codes.length);
  }
}

/** Codes that the service makes in one transaction; each of several generations has a key of its own. */
export function generationsOf(count: number, key: string | null): readonly Generation[] {
  if (count <= CODES_AT_ONCE_MAX) return [{ count, idempotencyKey: key }];
  const batches = Math.ceil(count / CODES_AT_ONCE_MAX);
  // Judged before the first is made: later ones have longer keys.
  if (key !== null && `${key}-${batches}`.length > KEY_LENGTH_MAX) {
    throw new CliError(
      `The key is too long: with the number of the batch it has more than ${KEY_LENGTH_MAX} characters.`,
    );
  }
  return Array.from({ length: batches }, (_, index) => ({
    count: Math.min(CODES_AT_ONCE_MAX, count - index * CODES_AT_ONCE_MAX),
    idempotencyKey: key === null ? null : `${key}-${index + 1}`,
  }));
}

function positiveNumber(text: string): number {
  const count = wholeNumber(text);
  if (count > 0 && count <= 2_147_483_647) return count;
  throw new InvalidArgumentError('Give a number from 1 to 2147483647.');
}
