import { randomInt } from 'node:crypto';
import { createConnection, type Connection } from 'mysql2/promise';
import { entities } from '../../src/app/modules.js';
import { LedgerService } from '../../src/money/ledger.service.js';
import { TransferService } from '../../src/money/transfer.service.js';
import { connectOrm, tenantEm } from '../../src/platform/database/orm.js';
import { Transactions } from '../../src/platform/database/transaction.js';
import { eachOf } from '../../src/platform/scheduling/each-of.js';
import { rawTransfer, type RawTransfer } from './raw-transfer.js';
import { rounded } from './statistics.js';
import type { BenchWorld } from './world.js';

const TENANT = 'TRANSFERS';
const CURRENCY = 'USD';
/** As many as a process has connections. */
const AT_ONCE = 16;

export interface TransferSize {
  readonly rounds: number;
  /** Of each side, in a round. */
  readonly transfers: number;
  readonly users: number;
}

interface Parts {
  readonly world: BenchWorld;
  readonly say: (line: string) => void;
}

/** Durable transfers a second ÷ hand-written transactions of the same statements, in turns, of the same users. */
export async function measureTransfers(
  { world, say }: Parts,
  { rounds, transfers, users }: TransferSize,
): Promise<{ readonly ratios: readonly number[]; readonly unexpected: readonly string[] }> {
  const wish = await seed(world, users);
  const orm = await connectOrm({ databaseUrl: world.databaseUrl, poolSize: AT_ONCE, entities });
  const connections = await Promise.all(Array.from({ length: AT_ONCE }, async () => connect(world)));
  try {
    const own = { ...world.services, transactions: new Transactions(orm) };
    const service = new TransferService({ ...own, ledger: new LedgerService(own), timeZone: 'UTC' });
    const byProduct = async ({ from, to, ...input }: RawTransfer): Promise<void> => {
      const { facilityId, currency, amount, orderId } = input;
      await service.transfer(null, TENANT, from, { toUserId: to, facilityId, currency, amount, orderId });
    };
    const byHand = async (wanted: RawTransfer): Promise<void> => {
      const connection = connections.pop();
      if (connection === undefined) throw new Error('More transfers than connections.');
      await rawTransfer(connection, world.services.ids, wanted);
      connections.push(connection);
    };
    const wishes = () => Array.from({ length: transfers }, wish);
    for (const warm of [byProduct, byHand]) await perSecond(wishes(), warm);
    const ratios: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const raw = await perSecond(wishes(), byHand);
      const product = await perSecond(wishes(), byProduct);
      ratios.push(product / raw);
      say(`  transfers: ${rounded(product, 0)}/s ÷ ${rounded(raw, 0)}/s = ${rounded(product / raw, 3)}`);
    }
    return { ratios, unexpected: await faultsOf(world, 2 * transfers * (rounds + 1) + users) };
  } finally {
    await Promise.all(connections.map(async (connection) => connection.end()));
    await orm.close(true);
  }
}

async function perSecond(
  wishes: readonly RawTransfer[],
  make: (wish: RawTransfer) => Promise<void>,
): Promise<number> {
  const fromMs = performance.now();
  await eachOf(wishes, AT_ONCE, make);
  return (wishes.length / (performance.now() - fromMs)) * 1000;
}

/** Users with money, who have transferred today. @returns the next transfer between two of them */
async function seed({ services }: BenchWorld, count: number): Promise<() => RawTransfer> {
  const { tenants, currencies, facilities, users, accounts, transfers } = services;
  await tenants.create({ id: TENANT, name: 'Transfers', type: 'CHANNEL' });
  await currencies.create(TENANT, { code: CURRENCY, name: 'Dollar', scale: 2, feeRate: '0.01' });
  const { id: facilityId } = await facilities.create(TENANT, { name: 'Main shop' });
  const userIds: string[] = [];
  await eachOf([...Array(count).keys()], 4, async (at) => {
    const { id: userId } = await users.ensureUser(TENANT, `transfers-${at}`);
    const place = { userId, facilityId, currency: CURRENCY };
    await accounts.adjust(TENANT, 'bench', {
      ...place,
      amount: '1000000',
      orderId: 'start',
      remark: 'Bench',
    });
    userIds.push(userId);
  });
  let made = 0;
  const next = (): RawTransfer => {
    const at = randomInt(count);
    const [from = '', to = ''] = [userIds[at], userIds[(at + 1 + randomInt(count - 1)) % count]];
    made += 1;
    return {
      tenantId: TENANT,
      from,
      to,
      facilityId,
      currency: CURRENCY,
      amount: '1.50',
      orderId: `o-${made}`,
    };
  };
  for (const [at, from] of userIds.entries()) {
    const toUserId = userIds[(at + 1) % count];
    const input = { toUserId, facilityId, currency: CURRENCY, amount: '1', orderId: 'first' };
    await transfers.transfer(null, TENANT, from, input);
  }
  return next;
}

async function connect({ databaseUrl }: BenchWorld): Promise<Connection> {
  const connection = await createConnection({
    uri: databaseUrl.replace(/^mariadb:/, 'mysql:'),
    supportBigNumbers: true,
    timezone: 'Z',
  });
  await connection.query('set session transaction isolation level read committed');
  return connection;
}

/** Both sides leave a sound ledger, or the figure means nothing. */
async function faultsOf({ stores }: BenchWorld, expected: number): Promise<string[]> {
  const [found] = await tenantEm(stores.orm, TENANT).execute<[{ transfers: number; off: string }]>(
    `select (select count(*) from money_transfer where tenant_id = ?) as transfers,
        cast((select sum(balance) from money_account where tenant_id = ?)
          + (select sum(amount) from system_entry where tenant_id = ?) as char) as off`,
    [TENANT, TENANT, TENANT],
  );
  const faults = [];
  if (found.transfers !== expected) faults.push(`${found.transfers} transfers, not ${expected}`);
  if (Number(found.off) !== 0) faults.push(`the ledger of transfers sums to ${found.off}`);
  return faults;
}
