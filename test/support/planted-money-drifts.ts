import { USD } from './money-world.js';
import type { PlantedDrift } from './planted-database-drifts.js';
import type { Scene } from './reconciliation.js';

/** A facility at which both users of the scene have a balance of 10. */
async function openAccounts({ world, tenantId, users }: Scene): Promise<string> {
  const { currencies, facilities, accounts } = world.services;
  await currencies.create(tenantId, { code: USD, name: 'Dollar', scale: 2 });
  const { id: facilityId } = await facilities.create(tenantId, { name: 'Main shop' });
  for (const userId of users) {
    const place = { userId, facilityId, currency: USD };
    await accounts.adjust(tenantId, 'eve', { ...place, amount: '10', orderId: 'start', remark: 'A test' });
  }
  return facilityId;
}

/** Adds an entry past the program; rows may be added, and never changed. */
async function addEntry(
  { sql, world, tenantId, users }: Scene,
  facilityId: string,
  { entryNo, before, amount }: { entryNo: number; before: number; amount: number },
  hasCounterpart = true,
): Promise<void> {
  const id = world.services.ids.next();
  await sql(
    `insert into money_entry (tenant_id, id, account_id, entry_no, user_id, facility_id, currency, type, order_id,
        balance_before, amount, balance_after, created_at)
      select tenant_id, ?, id, ?, user_id, facility_id, currency, 'ADJUSTMENT', ?, ?, ?, ?, utc_timestamp(3)
        from money_account where tenant_id = ? and user_id = ?`,
    [id, entryNo, `x${entryNo}`, before, amount, before + amount, tenantId, users[0]],
  );
  await addSystemEntry(
    { sql, tenantId },
    hasCounterpart ? id : world.services.ids.next(),
    facilityId,
    -amount,
  );
}

async function addSystemEntry(
  { sql, tenantId }: Pick<Scene, 'sql' | 'tenantId'>,
  id: string,
  facilityId: string,
  amount: number,
): Promise<void> {
  await sql(
    `insert into system_entry (tenant_id, id, facility_id, currency, purpose, type, order_id, amount, created_at)
      values (?, ?, ?, ?, 'ISSUE', 'ADJUSTMENT', 'x', ?, utc_timestamp(3))`,
    [tenantId, id, facilityId, USD, amount],
  );
}

/** Sets the first user's account. */
async function setAccount({ sql, tenantId, users }: Scene, assignments: string): Promise<void> {
  await sql(`update money_account set ${assignments} where tenant_id = ? and user_id = ?`, [
    tenantId,
    users[0],
  ]);
}

async function transfer(scene: Scene): Promise<string> {
  const facilityId = await openAccounts(scene);
  const [from, toUserId] = scene.users;
  const input = { toUserId, facilityId, currency: USD, amount: '1', orderId: 'first' };
  await scene.world.services.transfers.transfer(null, scene.tenantId, from, input);
  return facilityId;
}

/** What the ledger holds wrongly, each by itself. */
export const MONEY_DRIFTS: readonly PlantedDrift[] = [
  {
    kind: 'LEDGER_NOT_ZERO',
    what: 'an entry of the tenant without the entry of a user',
    plant: async (s) => addSystemEntry(s, s.world.services.ids.next(), await openAccounts(s), 0.01),
  },
  {
    kind: 'BALANCE_DIFFERS',
    what: 'money that went from one balance to another past the entries',
    count: 2,
    plant: async (s) => {
      await openAccounts(s);
      await s.sql(
        'update money_account set balance = balance + if(user_id = ?, 0.01, -0.01) where tenant_id = ?',
        [s.users[0], s.tenantId],
      );
    },
  },
  {
    kind: 'BALANCE_NEGATIVE',
    what: 'a balance that was below zero for a while',
    plant: async (s) => {
      const facilityId = await openAccounts(s);
      await addEntry(s, facilityId, { entryNo: 2, before: 10, amount: -11 });
      await addEntry(s, facilityId, { entryNo: 3, before: -1, amount: 1 });
      await setAccount(s, 'balance = 0, entry_no = 3');
    },
  },
  {
    kind: 'ENTRY_CHAIN_BROKEN',
    what: 'a number that was given to no entry',
    plant: async (s) => {
      await addEntry(s, await openAccounts(s), { entryNo: 3, before: 10, amount: 1 });
      await setAccount(s, 'balance = 11, entry_no = 2');
    },
  },
  {
    kind: 'ENTRY_CHAIN_BROKEN',
    what: 'entries that do not follow from each other, and still sum to the balance',
    plant: async (s) => {
      await addEntry(s, await openAccounts(s), { entryNo: 2, before: 5, amount: 1 });
      await setAccount(s, 'balance = 11, entry_no = 2');
    },
  },
  {
    kind: 'ACCOUNT_HALTED',
    what: 'an account in which nothing moves',
    plant: async (s) => {
      await openAccounts(s);
      await setAccount(s, 'halted_at = utc_timestamp(3)');
    },
  },
  {
    kind: 'ENTRY_ALONE',
    what: 'an entry whose counterpart belongs to another one',
    plant: async (s) => {
      await addEntry(s, await openAccounts(s), { entryNo: 2, before: 10, amount: 1 }, false);
      await setAccount(s, 'balance = 11, entry_no = 2');
    },
  },
  {
    kind: 'TRANSFER_DIFFERS',
    what: 'a transfer that moved nothing',
    plant: async (s) => {
      await transfer(s);
      await s.sql(
        `insert into money_transfer (tenant_id, id, order_id, from_user_id, to_user_id, facility_id, currency, amount,
            fee, net, day, created_at)
          select tenant_id, ?, 'second', from_user_id, to_user_id, facility_id, currency, amount, fee, net,
            '2000-01-01', created_at from money_transfer where tenant_id = ?`,
        [s.world.services.ids.next(), s.tenantId],
      );
    },
  },
  {
    kind: 'TRANSFER_DAY_DIFFERS',
    what: 'a day that has forgotten a transfer',
    plant: async (s) => {
      await transfer(s);
      await s.sql('update transfer_day set `count` = 0, `sum` = 0 where tenant_id = ?', [s.tenantId]);
    },
  },
];
