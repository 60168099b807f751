import { setTimeout } from 'node:timers/promises';
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
/** Short rounds, and many of them: all of them together redeem fewer codes than are sampled. */
const ROUNDS = { pairs: 7, roundMs: 1000, figureMsMax: 30_000, warmUp: 2000, roundMax: 2000 };
const SAMPLE = ROUNDS.roundMax * (ROUNDS.pairs + 1);
/** The database writes what a bulk load left behind for some minutes, which is not what is compared. */
const REST = { dirtyShareMax: 0.05, waitMsMax: 120_000, pollMs: 1000 };

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
    if (spread.length === 0) spread = await sampleOf(parts, batchId, count, SAMPLE);
    stored += count;
  }
  supply.replace(spread);
  await untilAtRest(parts);
  const withMany = await rate();
  await server.stop();
  const lost = await missing(parts, bench);
  return { ratio: withMany / withFew, unexpected: [...bench.unexpected, ...lost] };
}

/** Until few pages wait to be written. */
async function untilAtRest({ world, say }: BenchParts): Promise<void> {
  const end = performance.now() + REST.waitMsMax;
  for (;;) {
    const rows = await tenantEm(world.stores.orm, TENANT).execute<{ Variable_name: string; Value: string }[]>(
      `show global status like 'Innodb_buffer_pool_pages_%'`,
    );
    const pages = new Map(rows.map((row) => [row.Variable_name, Number(row.Value)]));
    const dirty = present(pages.get('Innodb_buffer_pool_pages_dirty'), 'The number of dirty pages');
    const share = dirty / present(pages.get('Innodb_buffer_pool_pages_data'), 'The number of pages');
    if (share <= REST.dirtyShareMax || performance.now() > end) {
      say(`  ${(share * 100).toFixed(1)} % of the database's pages are still to be written.`);
      return;
    }
    await setTimeout(REST.pollMs);
  }
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
  const [row] = await tenantEm(world.stores.orm, TENANT).execute<{ found: number }[]>(
    `select count(*) as found from redemption where tenant_id = ? and status = 'COMMITTED'`,
    [TENANT],
  );
  const { found } = present(row, 'The number of redemptions');
  return answered === found ? [] : [`${answered} redemptions were answered, ${found} are stored`];
}
