import type { CodeBatch } from '../codes/code-batch.entity.js';
import type { PoolState } from '../codes/code-pool.service.js';
import { addAction, ofTenant, type Bare } from './action.js';
import { collected, externalId, wholeNumber } from './arguments.js';
import { openCodeSink } from './code-sink.js';
import { printRow } from './rows.js';
import { fields } from './table.js';
import { userIdOf } from './user-id.js';

const BATCH_COLUMNS = fields<CodeBatch>('id', 'campaignId', 'generated', 'createdAt');
const POOL_COLUMNS = fields<PoolState>('campaignId', 'size', 'free', 'refusal');

/** Chosen codes, pools and allocation. */
export function addCodesAllocation(group: Bare): void {
  addChosen(group);
  addPool(group);
  addAllocate(group);
}

function addChosen(group: Bare): void {
  addAction(group, {
    name: 'add',
    description: 'Add codes of chosen texts, one that is shared or a list: all of them, or none.',
    example: 'codes add --tenant CH_123 --campaign 7312345678901234 --code WELCOME10 --uses 1000',
    options: (command) =>
      ofTenant(command)
        .requiredOption('--campaign <id>', 'the campaign')
        .requiredOption('--code <text>', 'a code; may be given again', collected)
        .option('--uses <n>', "uses of each code, 0 unlimited; else as the campaign's rule says", wholeNumber)
        .option('--user <id>', "only this user, by the id in the tenant's own system", externalId)
        .option('--key <key>', 'idempotency key: the same call again changes nothing', externalId)
        .option('--json', 'print JSON'),
    run: async ({ chosenCodes, users }, { tenant, campaign, code, uses, user, key }) => {
      const { batch } = await chosenCodes.add(tenant, {
        campaignId: campaign,
        codes: code,
        useLimit: uses ?? null,
        assignedUserId: user === undefined ? null : await userIdOf(users, tenant, user),
        idempotencyKey: key ?? null,
      });
      return batch;
    },
    print: printRow(BATCH_COLUMNS),
  });
}

function addPool(group: Bare): void {
  addAction(group, {
    name: 'pool',
    description: "Set the size of a campaign's pool, which refills itself, and show it.",
    example: 'codes pool --tenant CH_123 --campaign 7312345678901234 --size 1000',
    options: (command) =>
      ofTenant(command)
        .requiredOption('--campaign <id>', 'the campaign')
        .requiredOption('--size <n>', 'how many free codes there are to be; 0 stops refills', wholeNumber)
        .option('--json', 'print JSON'),
    run: async ({ pools }, { tenant, campaign, size }) => pools.set(tenant, { campaignId: campaign, size }),
    print: printRow(POOL_COLUMNS),
  });
}

function addAllocate(group: Bare): void {
  addAction(group, {
    name: 'allocate',
    description:
      "Hand out codes of a campaign's pool, and print them, one a line. No other receiver gets them.",
    example: 'codes allocate --tenant CH_123 --campaign 7312345678901234 --count 10 --channel "Shop 7"',
    options: (command) =>
      ofTenant(command)
        .requiredOption('--campaign <id>', 'the campaign')
        .requiredOption('--count <n>', 'how many, 1000 at most', wholeNumber)
        .option(
          '--user <id>',
          "the user who alone may redeem them, by the id in the tenant's own system",
          externalId,
        )
        .option('--channel <name>', 'the channel that hands them on; either this or a user')
        .option('--key <key>', 'idempotency key: the same call again prints the same codes', externalId)
        .option('--out <file>', 'a new file for the codes, readable by its owner alone'),
    run: async ({ allocations, users }, { tenant, campaign, count, user, channel, key, out }) => {
      const sink = await openCodeSink(out);
      try {
        const { codes } = await allocations.allocate(tenant, {
          campaignId: campaign,
          count,
          userId: user === undefined ? null : await userIdOf(users, tenant, user),
          channel: channel ?? null,
          idempotencyKey: key ?? null,
        });
        await sink.write(codes);
      } finally {
        // A file that got no codes is taken away.
        await sink.close();
      }
    },
    print: async () => undefined,
  });
}
