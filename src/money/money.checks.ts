import type { RowCheck, RowFacts } from '../platform/database/row-check.js';

/**
 * The accounts of users and those of the tenant, by facility and currency. One statement over all of them, so that it
 * sees one instant; the index of the tenant's entries holds all that it reads of them.
 */
const SUMS: RowFacts = {
  name: 'ledgers',
  rows: 'TENANT',
  sql: `
    select :tenant as id, concat_ws('/', facility_id, currency) as subject,
        cast(sum(held) as char) as users, cast(sum(own) as char) as tenant, sum(held) + sum(own) <> 0 as isOff
      from (
        select a.facility_id, a.currency, a.balance as held, 0 as own from money_account a
         where a.tenant_id in (:items)
        union all
        select s.facility_id, s.currency, 0, s.amount from system_entry s force index (ix_system_entry__account)
         where s.tenant_id in (:items)) movements
     group by facility_id, currency`,
};

/** Accounts against their entries: a gap in the numbers, or a balance that does not follow from the one before. */
const ACCOUNTS: RowFacts = {
  name: 'accounts',
  rows: { table: 'money_account', index: 'uq_money_account__id', atOnce: 100 },
  sql: `
    select cast(a.id as char) as id, concat_ws('/', a.user_id, a.facility_id, a.currency) as subject,
        cast(a.balance as char) as balance, cast(coalesce(e.total, 0) as char) as entered, a.entry_no as entries,
        coalesce(e.counted, 0) as counted, a.balance <> coalesce(e.total, 0) as isOff, least(a.balance, coalesce(e.lowest, 0)) < 0 as isNegative,
        a.halted_at is not null as isHalted,
        coalesce(e.broken, 0) > 0 or coalesce(e.counted, 0) <> a.entry_no or coalesce(e.highest, 0) <> a.entry_no
          as isBroken
      from money_account a force index (uq_money_account__id)
      left join (
        select account_id, sum(amount) as total, count(*) as counted, max(entry_no) as highest, min(balance_after) as lowest,
            sum(balance_before + amount <> balance_after or balance_before <> before_it) as broken
          from (
            select m.account_id, m.entry_no, m.balance_before, m.amount, m.balance_after,
                coalesce(lag(m.balance_after) over (partition by m.account_id order by m.entry_no), 0) as before_it
              from money_entry m force index (uq_money_entry__no)
             where m.tenant_id = :tenant and m.account_id in (:items)) chain
         group by account_id) e on e.account_id = a.id
     where a.tenant_id = :tenant and a.id in (:items)`,
};

/** Each movement between a user and the tenant has its counterpart, and each side of a transfer the transfer. */
const ENTRIES: RowFacts = {
  name: 'entries',
  rows: { table: 'money_entry' },
  sql: `
    select cast(e.id as char) as id, concat_ws('/', e.user_id, e.type, e.order_id) as subject,
        cast(e.amount as char) as amount, cast(coalesce(s.amount, 0) as char) as counterpart,
        case when e.type in ('TRANSFER_OUT', 'TRANSFER_IN') then t.id is null
             else s.id is null or s.amount <> -e.amount end as isAlone
      from money_entry e force index (primary)
      left join system_entry s on s.tenant_id = e.tenant_id and s.id = e.id
        and s.facility_id = e.facility_id and s.currency = e.currency
      left join money_transfer t on t.tenant_id = e.tenant_id and t.id = cast(e.order_id as unsigned)
        and t.facility_id = e.facility_id and t.currency = e.currency
        and (e.type = 'TRANSFER_OUT' and t.from_user_id = e.user_id and t.amount = -e.amount
          or e.type = 'TRANSFER_IN' and t.to_user_id = e.user_id and t.net = e.amount)
     where e.tenant_id = :tenant and e.id in (:items)`,
};

/** Transfers against their three movements. */
const sideOf = (user: string, type: string): string => `
  (select count(*) from money_account a
     join money_entry e force index (uq_money_entry__order) on e.tenant_id = a.tenant_id and e.account_id = a.id
       and e.order_id = cast(t.id as char) and e.type = '${type}'
    where a.tenant_id = t.tenant_id and a.user_id = t.${user} and a.facility_id = t.facility_id
      and a.currency = t.currency)`;
const TRANSFERS: RowFacts = {
  name: 'transfers',
  rows: { table: 'money_transfer' },
  sql: `
    select cast(t.id as char) as id, cast(t.amount as char) as amount, cast(t.fee as char) as fee,
        cast(t.net as char) as net, ${sideOf('from_user_id', 'TRANSFER_OUT')} as debits,
        ${sideOf('to_user_id', 'TRANSFER_IN')} as credits, cast(coalesce(s.amount, 0) as char) as entered,
        t.amount <> t.fee + t.net or coalesce(s.amount, 0) <> t.fee as isOff
      from money_transfer t force index (primary)
      left join system_entry s on s.tenant_id = t.tenant_id and s.id = t.id and s.purpose = 'FEE'
     where t.tenant_id = :tenant and t.id in (:items)`,
};

/** What daily limits go by. */
const DAYS: RowFacts = {
  name: 'transferDays',
  rows: { table: 'transfer_day', key: ['user_id'], repeats: true, atOnce: 100 },
  sql: `
    select cast(d.user_id as char) as id, concat_ws('/', d.user_id, d.currency) as subject, d.day,
        d.count as counted, cast(d.sum as char) as summed, count(t.id) as transfers,
        cast(coalesce(sum(t.amount), 0) as char) as transferred,
        d.count <> count(t.id) or d.sum <> coalesce(sum(t.amount), 0) as isOff
      from transfer_day d force index (primary)
      left join money_transfer t force index (ix_money_transfer__from) on t.tenant_id = d.tenant_id
        and t.from_user_id = d.user_id and t.currency = d.currency and t.day = d.day
     where d.tenant_id = :tenant and d.user_id in (:items)
     group by d.tenant_id, d.user_id, d.currency, d.day, d.count, d.sum`,
};

const RESTORE =
  'Triggers refuse such a change: find who has removed them, and restore the rows from a backup.';

export const MONEY_CHECKS: readonly RowCheck[] = [
  {
    kind: 'LEDGER_NOT_ZERO',
    invariant: 'I4',
    means: 'At a facility, the balances of a currency and the accounts of the tenant do not sum to zero.',
    remedy:
      'See which accounts or entries are named beside it; with none of them, an entry of the tenant was changed.',
    facts: SUMS,
    wrong: 'isOff',
  },
  {
    kind: 'BALANCE_DIFFERS',
    invariant: 'I4',
    means: 'A balance is not the sum of the entries of its account.',
    remedy:
      'The next movement halts the account. Set money_account.balance and entry_no to those of its last entry, then releaseAccount.',
    facts: ACCOUNTS,
    wrong: 'isOff',
  },
  {
    kind: 'BALANCE_NEGATIVE',
    invariant: 'I4',
    means: 'A balance is below zero, or was after one of its entries.',
    remedy: 'The constraint ck_money_account__balance is missing: add it again, and adjust the balance.',
    facts: ACCOUNTS,
    wrong: 'isNegative',
  },
  {
    kind: 'ENTRY_CHAIN_BROKEN',
    invariant: 'I4',
    means: 'Entries of an account are missing, or one does not begin where the one before it ended.',
    remedy: RESTORE,
    facts: ACCOUNTS,
    wrong: 'isBroken',
  },
  {
    kind: 'ACCOUNT_HALTED',
    invariant: 'I4',
    means: 'An account was halted, because its last entry did not match its balance; nothing moves in it.',
    remedy:
      'Set money_account.balance and entry_no to those of its last entry, adjust the balance if it is wrong, and releaseAccount.',
    facts: ACCOUNTS,
    wrong: 'isHalted',
  },
  {
    kind: 'ENTRY_ALONE',
    invariant: 'I4',
    means: 'An entry has no counterpart: neither an entry of the tenant nor a transfer of the same amount.',
    remedy: RESTORE,
    facts: ENTRIES,
    wrong: 'isAlone',
  },
  {
    kind: 'TRANSFER_DIFFERS',
    invariant: 'I4',
    means: 'A transfer does not have its debit, its credit and its fee.',
    remedy: RESTORE,
    facts: TRANSFERS,
    wrong: 'isOff or debits <> 1 or credits <> 1',
  },
  {
    kind: 'TRANSFER_DAY_DIFFERS',
    invariant: 'I4',
    means: 'What daily limits go by is not what the user has transferred on that day.',
    remedy: 'Set count and sum of transfer_day to those of the transfers of the day.',
    facts: DAYS,
    wrong: 'isOff',
  },
];
