import { LockMode } from '@mikro-orm/core';
import type { Em } from '../../platform/database/orm.js';
import { writeRows } from '../../platform/database/write-rows.js';
import { sortedIds, type Id } from '../../platform/ids.js';
import { PointsAccount, PointsLot } from './points.entity.js';

/** The user's account as it is now, locked for the unit of work to change; its lock covers the user's lots. */
export async function lockAccount(em: Em, userId: Id): Promise<PointsAccount | null> {
  // What the unit of work has read before the lock may be out of date.
  return em.findOne(PointsAccount, { userId }, { lockMode: LockMode.PESSIMISTIC_WRITE, refresh: true });
}

/** The accounts of several users, locked in primary-key order, apart from the unit of work: see {@link writeBalances}. */
export async function lockAccounts(em: Em, userIds: readonly Id[]): Promise<Map<Id, PointsAccount>> {
  const accounts = await em.find(
    PointsAccount,
    { userId: { $in: sortedIds(userIds) } },
    {
      orderBy: { userId: 'asc' },
      indexHint: 'force index (primary)',
      lockMode: LockMode.PESSIMISTIC_WRITE,
      disableIdentityMap: true,
    },
  );
  return new Map(accounts.map((account) => [account.userId, account]));
}

/** Locked accounts, as they are to be. Raw, so that closing many orders takes one statement. */
export async function writeBalances(
  em: Em,
  tenantId: string,
  accounts: Iterable<PointsAccount>,
  now: Date,
): Promise<void> {
  await writeRows(em, {
    table: 'points_account',
    prefix: { tenant_id: tenantId },
    column: 'user_id',
    rows: [...accounts].map(({ userId, balance }) => [userId, { balance }]),
    common: ['updated_at = ?', now],
  });
}

/** Lots by their ids, as they are now. To be asked under the lock of their accounts. */
export async function lotsById(em: Em, ids: readonly Id[]): Promise<Map<Id, PointsLot>> {
  const lots = await em.find(PointsLot, { id: { $in: [...ids] } }, { disableIdentityMap: true });
  return new Map(lots.map((lot) => [lot.id, lot]));
}

/** Many lots, under the lock of their accounts. Raw, so that spending from many lots, or closing many orders, takes one statement. */
export async function writeLots(
  em: Em,
  tenantId: string,
  lots: Iterable<Pick<PointsLot, 'id' | 'remaining' | 'spent'>>,
): Promise<void> {
  await writeRows(em, {
    table: 'points_lot',
    prefix: { tenant_id: tenantId },
    column: 'id',
    rows: [...lots].map(({ id, remaining, spent }) => [id, { remaining, spent }]),
  });
}

/** At once: the unit of work would read the row again for the column that the database keeps. */
export async function changeLot(
  em: Em,
  lotId: Id,
  values: Partial<Pick<PointsLot, 'remaining' | 'spent' | 'expiresAt'>>,
): Promise<void> {
  await em.nativeUpdate(PointsLot, { id: lotId }, values);
}
