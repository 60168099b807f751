import { LockMode } from '@mikro-orm/core';
import { invariant, present } from '../../platform/assert.js';
import { writeTogether } from '../../platform/database/execute-together.js';
import { insertRows, type RowValues } from '../../platform/database/insert-rows.js';
import type { Em } from '../../platform/database/orm.js';
import { sortedIds, type Id, type IdGenerator } from '../../platform/ids.js';
import type { Expiring } from '../expiry-sweep.js';
import { PointsAccount, PointsLot } from './points.entity.js';

/** What lots have left when they expire. */
export function expiringPoints(ids: IdGenerator): Expiring {
  return {
    name: 'points',
    dueSql: `
      select tenant_id as tenantId, cast(id as char) as id, cast(due_at as char) as dueAt
        from points_lot force index (ix_points_lot__due)
       where due_at >= ? and due_at <= ? and tenant_id not in (?)
       order by due_at limit ?`,
    expire: async (em, tenantId, lotIds, now) => expireLots(em, tenantId, lotIds, now, ids),
  };
}

/** Accounts that others hold are left to the next run: lots change only under the lock of their account. */
async function expireLots(
  em: Em,
  tenantId: string,
  lotIds: readonly Id[],
  now: Date,
  ids: IdGenerator,
): Promise<number> {
  const due = { id: { $in: [...lotIds] }, remaining: { $gt: 0 }, expiresAt: { $lte: now } };
  const found = await em.find(PointsLot, due, { fields: ['userId'], disableIdentityMap: true });
  const accounts = await lockFree(em, sortedIds(found.map(({ userId }) => userId)));
  // Read again under the locks: an order may have taken from them meanwhile.
  const held = { ...due, userId: { $in: [...accounts.keys()] } };
  const lots = await em.find(PointsLot, held, { orderBy: { id: 'asc' }, disableIdentityMap: true });
  if (lots.length === 0) return 0;
  for (const lot of lots) {
    const account = present(accounts.get(lot.userId), 'The account of a lot');
    account.balance -= lot.remaining;
    account.updatedAt = now;
  }
  const entries = lots.map((lot) => entryOf(tenantId, ids.next(), lot, now));
  await Promise.all([emptyLots(em, tenantId, lots), insertRows(em, 'points_ledger', entries)]);
  return lots.length;
}

function entryOf(tenantId: string, id: Id, lot: PointsLot, now: Date): RowValues {
  return {
    tenant_id: tenantId,
    id,
    user_id: lot.userId,
    action: 'EXPIRE',
    points: -lot.remaining,
    lot_id: lot.id,
    cause: 'EXPIRY',
    created_at: now,
  };
}

async function emptyLots(em: Em, tenantId: string, lots: readonly PointsLot[]): Promise<void> {
  const { affectedRows } = await writeTogether(
    em,
    'update points_lot force index (primary) set remaining = 0 where tenant_id = ? and id in (?) and remaining > 0',
    [tenantId, lots.map(({ id }) => id)],
  );
  invariant(affectedRows === lots.length, 'A lot changed without the lock of its account.');
}

async function lockFree(em: Em, userIds: readonly Id[]): Promise<Map<Id, PointsAccount>> {
  const accounts = await em.find(
    PointsAccount,
    { userId: { $in: [...userIds] } },
    {
      orderBy: { userId: 'asc' },
      indexHint: 'force index (primary)',
      lockMode: LockMode.PESSIMISTIC_PARTIAL_WRITE,
    },
  );
  return new Map(accounts.map((account) => [account.userId, account]));
}
