import { LockMode } from '@mikro-orm/core';
import { User } from '../../identity/users/user.entity.js';
import { present } from '../../platform/assert.js';
import type { Em } from '../../platform/database/orm.js';
import { sortedIds, type Id } from '../../platform/ids.js';
import { Order } from './order.entity.js';

/** Locks go through the primary key: another index would be locked before the row. */
const FRESH = { disableIdentityMap: true, indexHint: 'force index (primary)' } as const;

/** The first lock of every transaction that places, pays or refunds; redemptions of the same user take it, too. */
export async function lockUser(em: Em, id: Id): Promise<Pick<User, 'status'>> {
  const lock = { ...FRESH, lockMode: LockMode.PESSIMISTIC_WRITE } as const;
  return present(await em.findOne(User, { id }, { ...lock, fields: ['status'] }), 'The user of an order');
}

/** An order as it is now; it stays so until the end of the transaction. */
export async function lockOrder(em: Em, id: Id): Promise<Order> {
  const lock = { ...FRESH, lockMode: LockMode.PESSIMISTIC_WRITE } as const;
  return present(await em.findOne(Order, { id }, lock), 'An order');
}

/**
 * Those of these orders that are PENDING, locked.
 * @param waits whether to wait for orders that another transaction has locked, or to leave them out
 */
export async function lockPending(em: Em, ids: readonly Id[], waits: boolean): Promise<Order[]> {
  const lockMode = waits ? LockMode.PESSIMISTIC_WRITE : LockMode.PESSIMISTIC_PARTIAL_WRITE;
  const where = { id: { $in: sortedIds(ids) }, status: 'PENDING' as const };
  return em.find(Order, where, { ...FRESH, lockMode, orderBy: { id: 'asc' } });
}

export async function readOrder(em: Em, id: Id): Promise<Order | null> {
  return em.findOne(Order, { id }, FRESH);
}

/** Orders that are not PENDING any more are not looked for by their deadline. */
export async function dropDeadlines(em: Em, tenantId: string, ids: readonly Id[]): Promise<void> {
  await em.execute(
    `update order_placement force index (primary) set due_at = null where tenant_id = ? and order_id in (?)`,
    [tenantId, sortedIds(ids)],
    'run',
  );
}
