import { present } from '../../src/platform/assert.js';
import { tenantEm } from '../../src/platform/database/orm.js';
import { CODES_PER_BATCH_MAX } from '../../src/codes/code-generation.service.js';
import { Bench, ratios, type BenchParts } from './bench.js';
import { generate } from './generation.js';
import { Intents } from './intents.js';
import type { StoredSize } from './options.js';
import { median } from './statistics.js';
import { Supply } from './supply.js';

const TENANT = 'STORED';
/** Short rounds: all of them together redeem fewer codes than the smaller side stores. */
const ROUNDS = { pairs: 3, roundMs: 1000, figureMsMax: 15_000, warmUp: 2000, roundMax: 2000 };

export interface StoredFigure {
  /** Redemptions with many codes stored ÷ with few, each ÷ the empty mutations beside them: minutes lie between the two. */
  readonly ratio: number;
  readonly unexpected: readonly string[];
}

/** The codes that are redeemed of many were stored long before, and are taken from all over the table. */
export async function measureStored(parts: BenchParts, { few, many }: StoredSize): Promise<StoredFigure> {
  const { world, options, say } = parts;
  const supply = await Supply.open(world, { scarce: 1, expired: 1 }, TENANT);
  const size = { ...options.size, ...ROUNDS };
  const bench = new Bench({ ...parts, intents: new Intents(supply), options: { ...options, size } });
  const server = await world.startServer();
  const servers = [server];
  const rate = async (): Promise<number> => {
    await supply.stock(0, ROUNDS.roundMax * (ROUNDS.pairs + 1));
    await bench.warmUp('empty', servers, ROUNDS.warmUp);
    await bench.warmUp('redeem', servers, ROUNDS.warmUp);
    const turns = await bench.inTurn([
      { kind: 'empty', servers },
      { kind: 'redeem', servers },
    ]);
    return median(ratios(turns, 'redeem', 'empty'));
  };

  await supply.stock(few, 0);
  const withFew = await rate();
  let spread: readonly string[] = [];
  for (let stored = few; stored < many;) {
    const count = Math.min(CODES_PER_BATCH_MAX, many - stored);
    say(`  ${stored} codes are stored, ${count} more are made.`);
    const batchId = await generate(world, supply, count);
    // Those of the first batch: what comes later drives their pages out of the database's memory.
    if (spread.length === 0) spread = await sampleOf(parts, batchId, count, few);
    stored += count;
  }
  supply.replace(spread);
  const withMany = await rate();
  await server.stop();
  const lost = await missing(parts, bench);
  return { ratio: withMany / withFew, unexpected: [...bench.unexpected, ...lost] };
}

/** Codes from all over a batch, in no order. */
async function sampleOf(
  { world }: BenchParts,
  batchId: string,
  of: number,
  count: number,
): Promise<readonly string[]> {
  const rows = await tenantEm(world.stores.orm, TENANT).execute<{ text: string }[]>(
    `select code_text as text from code where tenant_id = ? and batch_id = ? and rand() < ? order by rand() limit ${count}`,
    [TENANT, batchId, (2 * count) / of],
  );
  return rows.map(({ text }) => text);
}

/** Each answer COMMITTED has its row, and there is no other. */
async function missing({ world }: BenchParts, bench: Bench): Promise<readonly string[]> {
  const answered = bench.attempts.filter(({ answer }) => answer.status === 'COMMITTED').length;
  const [row] = await tenantEm(world.stores.orm, TENANT).execute<{ stored: number }[]>(
    `select count(*) as stored from redemption where tenant_id = ? and status = 'COMMITTED'`,
    [TENANT],
  );
  const { stored } = present(row, 'The number of redemptions');
  return answered === stored ? [] : [`${answered} redemptions were answered, ${stored} are stored`];
}
