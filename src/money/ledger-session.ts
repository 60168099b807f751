import { invariant, present } from '../platform/assert.js';
import type { Money } from '../platform/decimal.js';
import { writeTogether } from '../platform/database/execute-together.js';
import { insertRows, type RowValues } from '../platform/database/insert-rows.js';
import type { Em } from '../platform/database/orm.js';
import type { Id, IdGenerator } from '../platform/ids.js';
import { textOfKey, type AccountKey, type LockedAccount } from './account-rows.js';
import type { Entry, EntryType } from './entry.entity.js';
import type { SystemPurpose } from './system-entry.entity.js';

/** Movements with a counterpart in one account of the tenant. The entries of a transfer are each other's. */
const PURPOSE_OF = {
  ADJUSTMENT: 'ISSUE',
  RECHARGE: 'RECHARGE',
  PAYMENT: 'REVENUE',
  REFUND: 'REVENUE',
  REWARD: 'REWARD',
  REWARD_REVERSAL: 'REWARD',
} as const satisfies Partial<Record<EntryType, SystemPurpose>>;
export type ChangeType = keyof typeof PURPOSE_OF;

/** What one entry says beside its account and its balances. */
export interface Movement<Type extends EntryType = EntryType> {
  readonly type: Type;
  readonly orderId: string;
  /** Signed, not 0. */
  readonly amount: Money;
  readonly remark?: string | null | undefined;
  readonly extra?: Readonly<Record<string, unknown>> | null | undefined;
}

/** A movement of an account of the tenant, with the id of what it belongs to. */
export interface SystemMovement extends Pick<AccountKey, 'facilityId' | 'currency'> {
  readonly id: Id;
  readonly purpose: SystemPurpose;
  readonly type: EntryType;
  readonly orderId: string;
  readonly amount: Money;
}

/** An account as things stand in a session. */
export interface AccountState extends AccountKey {
  readonly id: Id;
  readonly balance: Money;
  /** Its last entry does not match its balance: the database was changed by something else. */
  readonly isMismatched: boolean;
  /** Nothing may be moved. */
  readonly isHalted: boolean;
  /** Made by this transaction. */
  readonly isNew: boolean;
  readonly entryNo: number;
}

/** Locked accounts. Movements are made in memory, one after another, until {@link flush} writes all in bulk. */
export class LedgerSession {
  private readonly states = new Map<string, AccountState>();
  private readonly entries: Entry[] = [];
  private readonly counterparts: SystemMovement[] = [];

  constructor(
    private readonly em: Em,
    private readonly tenantId: string,
    private readonly ids: IdGenerator,
    private readonly now: Date,
    accounts: readonly LockedAccount[],
  ) {
    for (const account of accounts) this.states.set(textOfKey(account), stateOf(account));
  }

  get accounts(): readonly AccountState[] {
    return [...this.states.values()];
  }

  account(key: AccountKey): AccountState {
    return present(this.states.get(textOfKey(key)), 'A locked account');
  }

  /** An entry that this session has made and not written yet. */
  made(accountId: Id, { type, orderId }: Pick<Movement, 'type' | 'orderId'>): Entry | undefined {
    return this.entries.find(
      (entry) => entry.accountId === accountId && entry.type === type && entry.orderId === orderId,
    );
  }

  /** Moves money between a user and the tenant. What is refused was refused before. */
  change(key: AccountKey, movement: Movement<ChangeType>): Entry {
    const entry = this.move(key, movement);
    const { type, orderId, amount } = movement;
    this.moveSystem({
      id: entry.id,
      facilityId: key.facilityId,
      currency: key.currency,
      purpose: PURPOSE_OF[type],
      type,
      orderId,
      amount: amount.negated(),
    });
    return entry;
  }

  /** One side of a movement; the caller sees to the other one. */
  move(key: AccountKey, { type, orderId, amount, remark = null, extra = null }: Movement): Entry {
    const state = this.account(key);
    const after = state.balance.plus(amount);
    invariant(!state.isHalted && !amount.isZero() && !after.isNegative(), 'This movement has to be refused.');
    const entry: Entry = {
      tenantId: this.tenantId,
      id: this.ids.next(),
      accountId: state.id,
      entryNo: state.entryNo + 1,
      userId: key.userId,
      facilityId: key.facilityId,
      currency: key.currency,
      type,
      orderId,
      before: state.balance.toFixed(),
      amount: amount.toFixed(),
      after: after.toFixed(),
      remark,
      extra,
      createdAt: this.now,
    };
    this.entries.push(entry);
    this.states.set(textOfKey(key), { ...state, balance: after, entryNo: entry.entryNo });
    return entry;
  }

  moveSystem(movement: SystemMovement): void {
    this.counterparts.push(movement);
  }

  /** Takes away the accounts that were made for movements which were refused. */
  async dropUnused(): Promise<void> {
    const unused = this.accounts.filter(({ isNew, entryNo }) => isNew && entryNo === 0);
    if (unused.length === 0) return;
    const sql = 'delete from money_account where tenant_id = ? and id in (?)';
    await writeTogether(this.em, sql, [this.tenantId, unused.map(({ id }) => id)]);
  }

  async flush(): Promise<void> {
    const entries = this.entries.splice(0);
    const counterparts = this.counterparts.splice(0);
    await Promise.all([
      insertRows(this.em, 'money_entry', entries.map(rowOf)),
      this.writeBalances(new Set(entries.map(({ accountId }) => accountId))),
      insertRows(
        this.em,
        'system_entry',
        counterparts.map((movement) => this.counterpartRow(movement)),
      ),
    ]);
  }

  /** Every row is there and locked, so that the insert only ever updates. */
  private async writeBalances(accountIds: ReadonlySet<Id>): Promise<void> {
    const moved = this.accounts.filter(({ id }) => accountIds.has(id));
    if (moved.length === 0) return;
    await writeTogether(
      this.em,
      `insert into money_account (tenant_id, user_id, facility_id, currency, id, balance, entry_no, created_at)
        values ${moved.map(() => '(?, ?, ?, ?, ?, ?, ?, ?)').join(', ')}
        on duplicate key update balance = values(balance), entry_no = values(entry_no)`,
      moved.flatMap(({ userId, facilityId, currency, id, balance, entryNo }) => [
        this.tenantId,
        userId,
        facilityId,
        currency,
        id,
        balance.toFixed(),
        entryNo,
        this.now,
      ]),
    );
  }

  private counterpartRow({
    facilityId,
    currency,
    purpose,
    type,
    orderId,
    ...own
  }: SystemMovement): RowValues {
    return {
      tenant_id: this.tenantId,
      id: own.id,
      facility_id: facilityId,
      currency,
      purpose,
      type,
      order_id: orderId,
      amount: own.amount.toFixed(),
      created_at: this.now,
    };
  }
}

function stateOf({ balance, entryNo, lastNo, lastAfter, isHalted, ...account }: LockedAccount): AccountState {
  const isMismatched = entryNo !== lastNo || !balance.equals(lastAfter);
  return { ...account, balance, entryNo, isMismatched, isHalted: isHalted || isMismatched };
}

function rowOf(entry: Entry): RowValues {
  return {
    tenant_id: entry.tenantId,
    id: entry.id,
    account_id: entry.accountId,
    entry_no: entry.entryNo,
    user_id: entry.userId,
    facility_id: entry.facilityId,
    currency: entry.currency,
    type: entry.type,
    order_id: entry.orderId,
    balance_before: entry.before,
    amount: entry.amount,
    balance_after: entry.after,
    remark: entry.remark ?? null,
    extra: entry.extra === null || entry.extra === undefined ? null : JSON.stringify(entry.extra),
    created_at: entry.createdAt,
  };
}
