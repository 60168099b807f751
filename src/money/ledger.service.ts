import type { Counter } from 'prom-client';
import { userDisabled } from '../identity/users/recipient.service.js';
import { invariant, isSet } from '../platform/assert.js';
import { Money, MONEY_MAX } from '../platform/decimal.js';
import type { Em } from '../platform/database/orm.js';
import { afterwardsOf } from '../platform/database/transaction.js';
import { DomainError } from '../platform/errors.js';
import type { Id } from '../platform/ids.js';
import { VISIBLE_ASCII } from '../platform/input.js';
import type { PlatformServices } from '../platform/platform-services.js';
import { Account } from './account.entity.js';
import { lockAccounts, sortedKeys, type AccountKey } from './account-rows.js';
import { Entry } from './entry.entity.js';
import { LedgerSession, type AccountState, type ChangeType } from './ledger-session.js';
import type { LedgerRefusal } from './money.errors.js';
import { readTerms, type MoneyTerms } from './money-terms.js';
import { operationChanges } from '../platform/recording/recording-em.js';

/** One movement between a user and the tenant. */
export interface BalanceChange {
  readonly userId: Id;
  readonly facilityId: Id;
  readonly currency: string;
  readonly type: ChangeType;
  /** There is one entry for each account, order id and type. 1 to 64 visible characters. */
  readonly orderId: string;
  /** Signed, not 0. */
  readonly amount: string;
  readonly remark?: string | null;
  readonly extra?: Readonly<Record<string, unknown>> | null;
  /** A gift: a user who is disabled, or who is being disabled, does not get it. */
  readonly isForActive?: boolean;
}

interface Collaborators extends Pick<PlatformServices, 'transactions' | 'ids' | 'clock' | 'log'> {
  readonly metrics: { readonly accountsHalted: Pick<Counter, 'inc'> };
}

/** Changes balances. Every change is an entry of the user's account and its counterpart in an account of the tenant. */
export class LedgerService {
  constructor(private readonly its: Collaborators) {}

  /**
   * One change, as a transaction of its own (without an entity manager) or as a savepoint of the caller's: a refusal that
   * the caller catches undoes nothing but the change. Repeated with the same amount, it answers the first entry.
   *
   * @throws DomainError one of `LEDGER_REFUSALS`
   */
  async changeBalance(em: Em | null, tenantId: string, change: BalanceChange): Promise<Entry> {
    return this.its.transactions.composed(em, tenantId, async (part) => {
      const [entry] = await this.changeBalances(part, tenantId, [change]);
      invariant(entry !== undefined, 'A change answers its entry.');
      return entry;
    });
  }

  /**
   * Many changes, one after another, in the caller's transaction. After a refusal the caller's transaction must fail,
   * too. Answers the entries in the order of the changes.
   *
   * @throws DomainError one of `LEDGER_REFUSALS`
   */
  async changeBalances(em: Em, tenantId: string, changes: readonly BalanceChange[]): Promise<Entry[]> {
    if (changes.length === 0) return [];
    const isGift = changes.some(({ isForActive = false }) => isForActive);
    const terms = await readTerms(em, tenantId, changes, isGift ? 'SHARED' : 'PLAIN');
    for (const change of changes) refuseUnknown(terms, change);
    const session = await this.open(em, tenantId, changes);
    for (const { userId, facilityId, currency } of changes)
      await operationChanges(em, Account, { userId, facilityId, currency });
    const known = await this.entriesOf(em, tenantId, session, changes);
    const entries = changes.map((change) => changed(session, terms, known, change));
    await session.flush();
    return entries;
  }

  /**
   * Refuses a debit early, before its transaction takes the locks that come before those of accounts. A plain read:
   * {@link changeBalances} decides under the lock, and halts an account whose last entry does not match its balance.
   *
   * @param amount positive
   * @throws DomainError ACCOUNT_HALTED or INSUFFICIENT_BALANCE
   */
  async assertCovered(em: Em, key: AccountKey, amount: string): Promise<void> {
    const { userId, facilityId, currency } = key;
    const account = await em.findOne(Account, { userId, facilityId, currency }, { disableIdentityMap: true });
    refuseHalted({ userId, isHalted: isSet(account?.haltedAt) });
    refuseBalance({ balance: new Money(account?.balance ?? 0), currency }, new Money(amount).negated());
  }

  /**
   * Locks accounts, in primary-key order, and makes those that are missing. An account whose last entry does not match
   * its balance is halted as soon as the transaction has ended, however it ends: the refusal undoes all the rest.
   *
   * @param keys of users, facilities and currencies that are there
   */
  async open(em: Em, tenantId: string, keys: readonly AccountKey[]): Promise<LedgerSession> {
    const now = new Date(this.its.clock.nowMs());
    const { ids } = this.its;
    const accounts = await lockAccounts(em, tenantId, sortedKeys(keys), { ids, now });
    const session = new LedgerSession(em, tenantId, ids, now, accounts);
    const mismatched = session.accounts.filter((account) => account.isMismatched);
    if (mismatched.length > 0) afterwardsOf(em, async () => this.halt(tenantId, mismatched));
    return session;
  }

  /** The entries there are of these changes, which have been made before: hardly ever any. */
  private async entriesOf(
    em: Em,
    tenantId: string,
    session: LedgerSession,
    changes: readonly BalanceChange[],
  ): Promise<Entry[]> {
    // Ids are written out: both servers compare text inside rows of columns as doubles.
    const places = changes.map((change) => `(${BigInt(session.account(change).id)}, ?, ?)`).join(', ');
    const found = await em.execute<{ id: Id }[]>(
      `select cast(id as char) as id from money_entry force index (uq_money_entry__order)
        where tenant_id = ? and (account_id, order_id, type) in (${places})`,
      [tenantId, ...changes.flatMap(({ orderId, type }) => [orderId, type])],
    );
    if (found.length === 0) return [];
    const ids = found.map(({ id }) => id);
    return em.find(Entry, { id: { $in: ids } }, { disableIdentityMap: true });
  }

  private async halt(tenantId: string, accounts: readonly AccountState[]): Promise<void> {
    const where = { id: { $in: accounts.map(({ id }) => id) }, haltedAt: null };
    const haltedAt = new Date(this.its.clock.nowMs());
    try {
      const halted = await this.its.transactions.run(tenantId, async (em) =>
        em.nativeUpdate(Account, where, { haltedAt }),
      );
      if (halted === 0) return;
      this.its.metrics.accountsHalted.inc(halted);
      const accountIds = accounts.map(({ id }) => id);
      this.its.log.error({ tenantId, accountIds }, 'accounts halted: the last entry is not the balance');
    } catch (error) {
      // The next movement finds the same, and halts it.
      this.its.log.error({ err: error, tenantId }, 'accounts could not be halted');
    }
  }
}

function refuseUnknown({ facilities, currencies, users }: MoneyTerms, change: BalanceChange): void {
  invariant(VISIBLE_ASCII.test(change.orderId), 'The order id of a change has 1 to 64 visible characters.');
  if (!facilities.has(change.facilityId))
    throw refusal('FACILITY_NOT_FOUND', 'The tenant has no facility with this id.', 'facilityId');
  if (!currencies.has(change.currency))
    throw refusal('CURRENCY_NOT_FOUND', 'The tenant has no currency with this code.', 'currency');
  if (!users.has(change.userId))
    throw refusal('USER_NOT_FOUND', 'The tenant has no user with this id.', 'userId');
}

function changed(
  session: LedgerSession,
  { currencies, users }: MoneyTerms,
  known: readonly Entry[],
  change: BalanceChange,
): Entry {
  const { type, orderId, currency, remark, extra, isForActive = false } = change;
  const amount = new Money(change.amount);
  const account = session.account(change);
  const isFirst = (entry: Entry): boolean =>
    entry.accountId === account.id && entry.orderId === orderId && entry.type === type;
  const first = known.find(isFirst) ?? session.made(account.id, change);
  if (first !== undefined && amount.equals(first.amount)) return first;
  if (isForActive && users.get(change.userId)?.status !== 'ACTIVE') throw userDisabled();
  refuseHalted(account);
  const scale = currencies.get(currency)?.scale ?? 0;
  if (amount.decimalPlaces() > scale)
    throw refusal('AMOUNT_TOO_PRECISE', `${currency} has ${scale} digits after the point.`, 'amount');
  if (first !== undefined)
    throw refusal(
      'ORDER_ID_REUSED',
      'This order id was used for another amount on this account. Use a new order id.',
      'orderId',
    );
  refuseBalance(account, amount);
  return session.change(change, { type, orderId, amount, remark, extra });
}

/** @throws DomainError ACCOUNT_HALTED */
export function refuseHalted(
  { userId, isHalted }: Pick<AccountState, 'userId' | 'isHalted'>,
  field?: string,
): void {
  if (!isHalted) return;
  const message = `The account of user ${userId} is halted because its last entry does not match its balance. Contact support.`;
  throw refusal('ACCOUNT_HALTED', message, field);
}

/** @throws DomainError INSUFFICIENT_BALANCE or BALANCE_OUT_OF_RANGE */
export function refuseBalance(
  { balance, currency }: Pick<AccountState, 'balance' | 'currency'>,
  amount: Money,
): void {
  const after = balance.plus(amount);
  if (after.isNegative())
    throw refusal(
      'INSUFFICIENT_BALANCE',
      `The balance is ${balance.toFixed()} ${currency}, and ${amount.negated().toFixed()} ${currency} are needed.`,
      'amount',
    );
  if (after.greaterThan(MONEY_MAX))
    throw refusal(
      'BALANCE_OUT_OF_RANGE',
      'The balance would exceed the largest amount. Use a smaller amount.',
      'amount',
    );
}

function refusal(code: LedgerRefusal, message: string, field?: string): DomainError {
  return new DomainError(code, message, field === undefined ? {} : { field: ['input', field] });
}
