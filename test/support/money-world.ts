import { randomBytes } from 'node:crypto';
import type { EntryType } from '../../src/money/entry.entity.js';
import { Money } from '../../src/platform/decimal.js';
import { DomainError } from '../../src/platform/errors.js';
import { emOf, seedUsers, type World } from './world.js';

export const USD = 'USD';

/** A tenant with a currency, a facility and users. */
export interface MoneyScene {
  readonly world: World;
  readonly tenantId: string;
  readonly facilityId: string;
  readonly users: readonly string[];
  /** Adds to the balance of a user, by staff. */
  fund(userId: string, amount: string, place?: Partial<Place>): Promise<void>;
  transfer(fromUserId: string, toUserId: string, amount: string, more?: Partial<Asked>): Promise<unknown>;
  balance(userId: string, place?: Partial<Place>): Promise<string>;
  sql<Row>(text: string, params?: readonly unknown[]): Promise<Row[]>;
}

interface Place {
  readonly facilityId: string;
  readonly currency: string;
}

interface Asked extends Place {
  readonly orderId: string;
}

export async function makeMoneyScene(
  world: World,
  userCount: number,
  currency: Record<string, unknown> = {},
): Promise<MoneyScene> {
  const { tenants, currencies, facilities, accounts, transfers } = world.services;
  const tenantId = `T_${randomBytes(6).toString('hex').toUpperCase()}`;
  await tenants.create({ id: tenantId, name: 'Test tenant', type: 'CHANNEL', codeQuota: 0 });
  await currencies.create(tenantId, { code: USD, name: 'Dollar', scale: 2, ...currency });
  const { id: facilityId } = await facilities.create(tenantId, { name: 'Main shop' });
  const users = await seedUsers(world, tenantId, userCount);
  const here = { facilityId, currency: USD };
  const sql = async <Row>(text: string, params: readonly unknown[] = []): Promise<Row[]> =>
    emOf(world, tenantId).execute(text, [...params]);
  return {
    world,
    tenantId,
    facilityId,
    users,
    sql,
    fund: async (userId, amount, place = {}) => {
      const input = { ...here, ...place, userId, amount, orderId: newOrderId(), remark: 'A test' };
      await accounts.adjust(tenantId, 'eve', input);
    },
    transfer: async (fromUserId, toUserId, amount, more = {}) =>
      transfers.transfer(null, tenantId, fromUserId, {
        ...here,
        orderId: newOrderId(),
        ...more,
        toUserId,
        amount,
      }),
    balance: async (userId, place = {}) => {
      const { facilityId: facility, currency: code } = { ...here, ...place };
      const [row] = await sql<{ balance: string }>(
        'select balance from money_account where tenant_id = ? and user_id = ? and facility_id = ? and currency = ?',
        [tenantId, userId, facility, code],
      );
      return row === undefined ? 'none' : new Money(row.balance).toFixed();
    },
  };
}

export function newOrderId(): string {
  return randomBytes(12).toString('hex');
}

/** What the ledger of a tenant holds, and whether it is right, by the rows alone. */
export async function ledgerOf({ sql, tenantId }: MoneyScene) {
  const entries = await sql<EntryRow>(
    `select cast(account_id as char) as accountId, entry_no as entryNo, type, balance_before as balanceBefore, amount,
        balance_after as balanceAfter from money_entry where tenant_id = ? order by account_id, money_entry.entry_no`,
    [tenantId],
  );
  const accounts = await sql<{ id: string; balance: string; entryNo: number }>(
    'select cast(id as char) as id, balance, entry_no as entryNo from money_account where tenant_id = ?',
    [tenantId],
  );
  const [own] = await sql<{ total: string | null; rows: number }>(
    'select sum(amount) as total, count(*) as `rows` from system_entry where tenant_id = ?',
    [tenantId],
  );
  const [made] = await sql<{ transfers: number }>(
    'select count(*) as transfers from money_transfer where tenant_id = ?',
    [tenantId],
  );
  const held = accounts.reduce((sum, { balance }) => sum.plus(balance), new Money(0));
  return {
    entries: entries.length,
    accounts: accounts.length,
    systemEntries: own?.rows ?? 0,
    transfers: made?.transfers ?? 0,
    held: held.toFixed(),
    sum: held.plus(own?.total ?? 0).toFixed(),
    faults: accounts.flatMap((account) => faultsOf(account, entries)),
  };
}

interface EntryRow {
  readonly accountId: string;
  readonly entryNo: number;
  readonly type: EntryType;
  readonly balanceBefore: string;
  readonly amount: string;
  readonly balanceAfter: string;
}

/** What of an account does not follow from its entries. */
function faultsOf(
  { id, balance, entryNo }: { id: string; balance: string; entryNo: number },
  all: readonly EntryRow[],
): string[] {
  const faults: string[] = [];
  let before = new Money(0);
  const own = all.filter(({ accountId }) => accountId === id);
  for (const [at, entry] of own.entries()) {
    if (entry.entryNo !== at + 1) faults.push(`${id}: entry ${at + 1} has the number ${entry.entryNo}`);
    const after = before.plus(entry.amount);
    if (!before.equals(entry.balanceBefore) || !after.equals(entry.balanceAfter) || after.isNegative())
      faults.push(`${id}: entry ${at + 1} goes from ${entry.balanceBefore} to ${entry.balanceAfter}`);
    before = after;
  }
  if (own.length !== entryNo || !before.equals(balance)) faults.push(`${id}: balance ${balance}`);
  return faults;
}

/** The code of a refusal, or `OK`. */
export async function outcomeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'OK',
    (error: unknown) => (error instanceof DomainError ? String(error.code) : String(error)),
  );
}

/** How often each outcome came. */
export function counted(outcomes: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const outcome of outcomes) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}
