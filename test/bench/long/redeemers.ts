import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { present } from '../../../src/platform/assert.js';
import { tenantEm } from '../../../src/platform/database/orm.js';
import { LoadProcess } from '../load-process.js';
import type { ServerProcess } from '../server-process.js';
import { PRODUCT, type Supply } from '../supply.js';
import type { BenchWorld } from '../world.js';

const ROUND = 10_000;
const CONNECTIONS = 64;

interface Counts extends RowDataPacket {
  readonly settled: number;
  readonly uses: number;
  readonly spentTwice: number;
}
const COUNTS = `
  select (select count(*) from redemption where tenant_id = ? and status = 'COMMITTED') as settled,
    (select cast(sum(used) as signed) from code where tenant_id = ?) as uses,
    (select count(*) from (select code_id from redemption where tenant_id = ? and status = 'COMMITTED'
      group by code_id having count(*) > 1) as twice) as spentTwice`;

interface Redeemed {
  /** Of the rounds alone, without what is made ready for them. */
  readonly elapsedMs: number;
  readonly faults: readonly string[];
}

/**
 * Redeems single-use codes from all over the table in rounds, each by a user of its own, and counts what is stored.
 * @param afterRound called between the rounds
 */
export async function redeemAll(
  world: BenchWorld,
  supply: Supply,
  apis: readonly ServerProcess[],
  count: number,
  afterRound: () => Promise<void>,
): Promise<Redeemed> {
  const load = new LoadProcess();
  const unexpected: string[] = [];
  let elapsedMs = 0;
  try {
    for (let done = 0; done < count;) {
      const codes = await unusedCodes(world, supply, done / count, Math.min(ROUND, count - done));
      const users = await supply.takeUsers(codes.length);
      const result = await load.run({
        urls: apis.map(({ address }) => address),
        connections: CONNECTIONS,
        mutation: 'redeemCode',
        productCode: PRODUCT,
        envelope: null,
        requests: users.map(({ token, ip }, at) => ({
          token,
          ip,
          code: codes[at] ?? '',
          idempotencyKey: null,
        })),
      });
      elapsedMs += result.elapsedMs;
      for (const { status, why } of result.answers)
        if (status !== 'COMMITTED') unexpected.push(why ?? status);
      done += codes.length;
      await afterRound();
    }
  } finally {
    load.stop();
  }
  return { elapsedMs, faults: [...told(unexpected), ...(await miscounted(world, supply.tenantId, count))] };
}

/** Codes that follow on a share of the way through the table. */
async function unusedCodes(
  { stores }: BenchWorld,
  { tenantId, campaignId }: Supply,
  share: number,
  count: number,
): Promise<readonly string[]> {
  const rows = await tenantEm(stores.orm, tenantId).execute<{ text: string }[]>(
    `select c.code_text as text
     from code c join (select min(id) as first, max(id) as last from code where tenant_id = ?) bounds
       on c.id >= bounds.first + floor((bounds.last - bounds.first) * ?)
     where c.tenant_id = ? and c.campaign_id = ? and c.used = 0
     order by c.id limit ${count}`,
    [tenantId, share, tenantId, campaignId],
  );
  if (rows.length === 0) throw new Error('There are no unused codes left.');
  return rows.map(({ text }) => text);
}

/** Every answer has its row, and every row its use. By a connection of its own, whose statements may take minutes. */
async function miscounted({ databaseUrl }: BenchWorld, tenantId: string, count: number): Promise<string[]> {
  const connection = await createConnection(databaseUrl);
  try {
    const [[row]] = await connection.query<Counts[]>(COUNTS, [tenantId, tenantId, tenantId]);
    const { settled, uses, spentTwice } = present(row, 'The counts');
    if (settled === count && uses === count && spentTwice === 0) return [];
    return [`${count} redemptions: ${settled} rows, ${uses} uses, ${spentTwice} codes spent twice`];
  } finally {
    await connection.end();
  }
}

function told(unexpected: readonly string[]): string[] {
  return [...Map.groupBy(unexpected, (why) => why)].map(([why, all]) => `${all.length} were answered ${why}`);
}
