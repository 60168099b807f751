import { compareIds, type Id, type IdGenerator } from '../platform/ids.js';
import { Money } from '../platform/decimal.js';
import { queryTogether, writeTogether } from '../platform/database/execute-together.js';
import type { Em } from '../platform/database/orm.js';

/** What names an account. */
export interface AccountKey {
  readonly userId: Id;
  readonly facilityId: Id;
  readonly currency: string;
}

/** A locked account, and its last entry as it was committed before. */
export interface LockedAccount extends AccountKey {
  readonly id: Id;
  readonly balance: Money;
  readonly entryNo: number;
  readonly isHalted: boolean;
  /** Made by this transaction. */
  readonly isNew: boolean;
  readonly lastNo: number;
  readonly lastAfter: Money;
}

export function textOfKey({ userId, facilityId, currency }: AccountKey): string {
  return `${userId} ${facilityId} ${currency}`;
}

/** Distinct accounts in primary-key order. */
export function sortedKeys(keys: Iterable<AccountKey>): AccountKey[] {
  const distinct = new Map([...keys].map((key) => [textOfKey(key), key]));
  return [...distinct.values()].toSorted(
    (a, b) =>
      compareIds(a.userId, b.userId) ||
      compareIds(a.facilityId, b.facilityId) ||
      (a.currency < b.currency ? -1 : 1),
  );
}

/**
 * Locks accounts in primary-key order in one statement, makes those that are missing, and reads their last entries. Of
 * two transactions that make the same account, the second waits for the first and then finds it.
 *
 * Raw SQL, for the lock in one message with the other locks of a redemption.
 * @param keys distinct, in primary-key order, with ids that are ids
 */
export async function lockAccounts(
  em: Em,
  tenantId: string,
  keys: readonly AccountKey[],
  make: { readonly ids: IdGenerator; readonly now: Date },
): Promise<LockedAccount[]> {
  if (keys.length === 0) return [];
  const found = await lockExisting(em, tenantId, keys);
  if (found.length === keys.length) return found;
  const known = new Set(found.map(textOfKey));
  const missing = keys
    .filter((key) => !known.has(textOfKey(key)))
    .map((key) => ({ ...key, id: make.ids.next() }));
  // A duplicate, too, is locked by the statement that changes nothing of it.
  await writeTogether(
    em,
    `insert into money_account (tenant_id, user_id, facility_id, currency, id, balance, entry_no, created_at)
      values ${missing.map(() => '(?, ?, ?, ?, ?, 0, 0, ?)').join(', ')}
      on duplicate key update balance = balance`,
    missing.flatMap(({ userId, facilityId, currency, id }) => [
      tenantId,
      userId,
      facilityId,
      currency,
      id,
      make.now,
    ]),
  );
  const ownIds = new Set(missing.map(({ id }) => id));
  const all = await lockExisting(em, tenantId, keys);
  return all.map((account) => ({ ...account, isNew: ownIds.has(account.id) }));
}

interface AccountRow extends AccountKey {
  readonly id: Id;
  readonly balance: string;
  readonly entryNo: number | string;
  readonly haltedAt: unknown;
}

interface LastEntryRow {
  readonly id: Id;
  readonly lastNo: number | string | null;
  readonly lastAfter: string | null;
}

async function lockExisting(em: Em, tenantId: string, keys: readonly AccountKey[]): Promise<LockedAccount[]> {
  // Ids are written out: both servers compare text inside rows of columns as doubles.
  const places = keys.map((key) => `(${BigInt(key.userId)}, ${BigInt(key.facilityId)}, ?)`).join(', ');
  const where = `a.tenant_id = ? and (a.user_id, a.facility_id, a.currency) in (${places})`;
  const params = [tenantId, ...keys.map(({ currency }) => currency)];
  const [accounts, last] = await Promise.all([
    queryTogether<AccountRow>(
      em,
      `select cast(a.id as char) as id, cast(a.user_id as char) as userId, cast(a.facility_id as char) as facilityId,
          a.currency, a.balance, a.entry_no as entryNo, a.halted_at as haltedAt
        from money_account a force index (primary) where ${where}
        order by a.user_id, a.facility_id, a.currency for update`,
      params,
    ),
    // A statement of its own: the one above may have waited, and would see entries as they were before.
    queryTogether<LastEntryRow>(
      em,
      `select cast(a.id as char) as id,
          (select e.entry_no from money_entry e where e.tenant_id = a.tenant_id and e.account_id = a.id
            order by e.entry_no desc limit 1) as lastNo,
          (select e.balance_after from money_entry e where e.tenant_id = a.tenant_id and e.account_id = a.id
            order by e.entry_no desc limit 1) as lastAfter
        from money_account a force index (primary) where ${where}`,
      params,
    ),
  ]);
  const lastOf = new Map(last.map((row) => [row.id, row]));
  return accounts.map(({ balance, entryNo, haltedAt, ...account }) => ({
    ...account,
    balance: new Money(balance),
    entryNo: Number(entryNo),
    isHalted: haltedAt !== null,
    isNew: false,
    lastNo: Number(lastOf.get(account.id)?.lastNo ?? 0),
    lastAfter: new Money(lastOf.get(account.id)?.lastAfter ?? 0),
  }));
}
