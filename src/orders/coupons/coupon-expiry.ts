import { LockMode } from '@mikro-orm/core';
import { invariant } from '../../platform/assert.js';
import { writeTogether } from '../../platform/database/execute-together.js';
import { insertRows } from '../../platform/database/insert-rows.js';
import type { Em } from '../../platform/database/orm.js';
import type { Id, IdGenerator } from '../../platform/ids.js';
import type { Expiring } from '../expiry-sweep.js';
import { UserCoupon } from './user-coupon.entity.js';

/**
 * Coupons that expired while they were available. One that an order holds stays until the order is paid, or gives it
 * back.
 */
export function expiringCoupons(ids: IdGenerator): Expiring {
  return {
    name: 'coupons',
    dueSql: `
      select tenant_id as tenantId, cast(id as char) as id, cast(expires_at as char) as dueAt
        from user_coupon force index (ix_user_coupon__status_expires)
       where status = 'AVAILABLE' and expires_at >= ? and expires_at <= ? and tenant_id not in (?)
       order by expires_at limit ?`,
    expire: async (em, tenantId, couponIds, now) => expireCoupons(em, tenantId, couponIds, now, ids),
  };
}

async function expireCoupons(
  em: Em,
  tenantId: string,
  couponIds: readonly Id[],
  now: Date,
  ids: IdGenerator,
): Promise<number> {
  const expired = await em.find(
    UserCoupon,
    { id: { $in: [...couponIds] }, status: 'AVAILABLE', expiresAt: { $lte: now } },
    {
      fields: ['id'],
      orderBy: { id: 'asc' },
      indexHint: 'force index (primary)',
      lockMode: LockMode.PESSIMISTIC_PARTIAL_WRITE,
      disableIdentityMap: true,
    },
  );
  if (expired.length === 0) return 0;
  const entries = expired.map(({ id }) => ({
    tenant_id: tenantId,
    id: ids.next(),
    coupon_id: id,
    action: 'EXPIRE',
    // It keeps its balance, which cannot be used any more.
    amount: '0',
    cause: 'EXPIRY',
    created_at: now,
  }));
  const [{ affectedRows }] = await Promise.all([
    writeTogether(
      em,
      `update user_coupon force index (primary) set status = 'EXPIRED', version = version + 1
        where tenant_id = ? and id in (?) and status = 'AVAILABLE'`,
      [tenantId, expired.map(({ id }) => id)],
    ),
    insertRows(em, 'coupon_ledger', entries),
  ]);
  invariant(affectedRows === expired.length, 'A locked coupon was not there to expire.');
  return expired.length;
}
