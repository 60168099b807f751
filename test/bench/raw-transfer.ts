import type { Connection, RowDataPacket } from 'mysql2/promise';
import { Money } from '../../src/platform/decimal.js';
import type { Id, IdGenerator } from '../../src/platform/ids.js';

export interface RawTransfer {
  readonly tenantId: string;
  readonly from: Id;
  readonly to: Id;
  readonly facilityId: Id;
  readonly currency: string;
  readonly amount: string;
  readonly orderId: string;
}

interface Account extends RowDataPacket {
  readonly id: string;
  readonly userId: string;
  readonly balance: string;
  readonly entryNo: number;
}

const KEYS = '(user_id, facility_id, currency) in ((?, ?, ?), (?, ?, ?))';

/** What a transfer reads, locks and writes, by hand and in the same statements: no checks, no types, no idempotency. */
export async function rawTransfer(
  connection: Connection,
  ids: IdGenerator,
  wanted: RawTransfer,
): Promise<void> {
  const { tenantId, from, to, facilityId, currency, orderId } = wanted;
  const [now, id] = [new Date(), ids.next()];
  const day = now.toISOString().slice(0, 10);
  const keys = [from, facilityId, currency, to, facilityId, currency].map((part) =>
    part === currency ? part : BigInt(part),
  );
  await connection.query('begin');
  const [[terms]] = await connection.query<({ feeRate: string } & RowDataPacket)[]>(
    `select scale, fee_rate as feeRate, transfer_max, daily_count_max, daily_sum_max, enabled from currency
      where tenant_id = ? and code in (?)`,
    [tenantId, [currency]],
  );
  await connection.query('select id, enabled from facility where tenant_id = ? and id in (?)', [
    tenantId,
    [facilityId],
  ]);
  await connection.query('select id, status from user where tenant_id = ? and id in (?)', [
    tenantId,
    [from, to],
  ]);
  const [accounts] = await connection.query<Account[]>(
    `select cast(id as char) as id, cast(user_id as char) as userId, balance, entry_no as entryNo, halted_at
      from money_account force index (primary) where tenant_id = ? and ${KEYS}
      order by user_id, facility_id, currency for update`,
    [tenantId, ...keys],
  );
  await connection.query(
    `select id,
        (select e.entry_no from money_entry e where e.tenant_id = a.tenant_id and e.account_id = a.id
          order by e.entry_no desc limit 1) as lastNo,
        (select e.balance_after from money_entry e where e.tenant_id = a.tenant_id and e.account_id = a.id
          order by e.entry_no desc limit 1) as lastAfter
      from money_account a force index (primary) where tenant_id = ? and ${KEYS}`,
    [tenantId, ...keys],
  );
  await connection.query(
    'select * from money_transfer where tenant_id = ? and from_user_id = ? and order_id = ? limit 1',
    [tenantId, from, orderId],
  );
  await connection.query(
    'select day, `count`, `sum` from transfer_day where tenant_id = ? and user_id = ? and currency = ? for update',
    [tenantId, from, currency],
  );
  const amount = new Money(wanted.amount);
  const fee = amount.times(terms?.feeRate ?? 0).toDecimalPlaces(2);
  const net = amount.minus(fee);
  const moves = accounts.map((account) => {
    const isSender = account.userId === from;
    const signed = isSender ? amount.negated() : net;
    return { ...account, isSender, signed, after: new Money(account.balance).plus(signed) };
  });
  await connection.query(
    `insert into money_entry (tenant_id, id, account_id, entry_no, user_id, facility_id, currency, type, order_id,
      balance_before, amount, balance_after, created_at) values ?`,
    [
      moves.map((move) => [
        tenantId,
        ids.next(),
        move.id,
        move.entryNo + 1,
        move.userId,
        facilityId,
        currency,
        move.isSender ? 'TRANSFER_OUT' : 'TRANSFER_IN',
        id,
        move.balance,
        move.signed.toFixed(),
        move.after.toFixed(),
        now,
      ]),
    ],
  );
  await connection.query(
    `insert into money_account (tenant_id, user_id, facility_id, currency, id, balance, entry_no, created_at) values ?
      on duplicate key update balance = values(balance), entry_no = values(entry_no)`,
    [
      moves.map((move) => [
        tenantId,
        move.userId,
        facilityId,
        currency,
        move.id,
        move.after.toFixed(),
        move.entryNo + 1,
        now,
      ]),
    ],
  );
  await connection.query(
    `insert into system_entry (tenant_id, id, facility_id, currency, purpose, type, order_id, amount, created_at)
      values (?, ?, ?, ?, 'FEE', 'FEE', ?, ?, ?)`,
    [tenantId, id, facilityId, currency, id, fee.toFixed(), now],
  );
  await connection.query(
    `insert into money_transfer (tenant_id, id, order_id, from_user_id, to_user_id, facility_id, currency, amount, fee,
      net, day, created_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [
      tenantId,
      id,
      orderId,
      from,
      to,
      facilityId,
      currency,
      amount.toFixed(),
      fee.toFixed(),
      net.toFixed(),
      day,
      now,
    ],
  );
  await connection.query(
    'update transfer_day set day = ?, `count` = `count` + 1, `sum` = `sum` + ? where tenant_id = ? and user_id = ? and currency = ?',
    [day, amount.toFixed(), tenantId, from, currency],
  );
  await connection.query(
    `insert into outbox_counter (tenant_id, last_seq) values (?, last_insert_id(1))
      on duplicate key update last_seq = last_insert_id(last_seq + 1)`,
    [tenantId],
  );
  await connection.query(
    `insert into outbox_event (tenant_id, seq, type, user_id, subject_id, payload, created_at)
      values (?, last_insert_id(), 'transfer_made', ?, ?, ?, ?)`,
    [
      tenantId,
      from,
      id,
      JSON.stringify({ ...wanted, transferId: id, fee: fee.toFixed(), net: net.toFixed() }),
      now,
    ],
  );
  await connection.query('commit');
}
