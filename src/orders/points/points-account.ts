import { LockMode } from '@mikro-orm/core';
import type { Em } from '../../platform/database/orm.js';
import type { Id } from '../../platform/ids.js';
import { PointsAccount, PointsLot } from './points.entity.js';

/** The user's account as it is now, locked for the unit of work to change; its lock covers the user's lots. */
export async function lockAccount(em: Em, userId: Id): Promise<PointsAccount | null> {
  // What the unit of work has read before the lock may be out of date.
  return em.findOne(PointsAccount, { userId }, { lockMode: LockMode.PESSIMISTIC_WRITE, refresh: true });
}

/** Lots by their ids, as they are now. To be asked under the lock of their accounts. */
export async function lotsById(em: Em, ids: readonly Id[]): Promise<Map<Id, PointsLot>> {
  const lots = await em.find(PointsLot, { id: { $in: [...ids] } }, { disableIdentityMap: true });
  return new Map(lots.map((lot) => [lot.id, lot]));
}

/** At once, because the unit of work would read the row again for the column that the database keeps. */
export async function changeLot(
  em: Em,
  lotId: Id,
  values: Partial<Pick<PointsLot, 'remaining' | 'spent' | 'expiresAt'>>,
): Promise<void> {
  await em.nativeUpdate(PointsLot, { id: lotId }, values);
}
