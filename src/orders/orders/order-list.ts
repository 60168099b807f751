import { raw, type FilterQuery } from '@mikro-orm/core';
import { EMPTY_PAGE, findPage, type Page, type PageRange } from '../../platform/database/find-page.js';
import type { Em } from '../../platform/database/orm.js';
import { isId, type Id } from '../../platform/ids.js';
import { Order, type OrderStatus, type OrderType } from './order.entity.js';

export interface OrderFilter {
  readonly userId?: Id | null | undefined;
  readonly status?: OrderStatus | null | undefined;
  readonly type?: OrderType | null | undefined;
}

/** What orders of redemptions never are. */
const NEVER_REDEEMED: ReadonlySet<OrderStatus> = new Set(['PENDING', 'PAID', 'CLOSED']);

/**
 * One page, newest first. Placed orders are few among those of redemptions: those of a tenant are found through
 * `order_placement`, which has a row for each of them, and those of a user by the user's index.
 */
export async function findOrders(
  em: Em,
  tenantId: string,
  { userId = null, status = null, type = null }: OrderFilter,
  page: PageRange,
): Promise<Page<Order>> {
  if (userId !== null && !isId(userId)) return EMPTY_PAGE;
  const isPlaced =
    (type !== null && type !== 'REDEMPTION') || (status !== null && NEVER_REDEEMED.has(status));
  const where: FilterQuery<Order> = {
    ...(userId !== null && { userId }),
    ...(status !== null && { status }),
    ...(type !== null && { type }),
  };
  const placed = {
    $and: [
      where,
      { [raw('id in (select order_id from order_placement where tenant_id = ?)', [tenantId])]: [] },
    ],
  };
  return findPage(em, Order, userId === null && isPlaced ? (placed as FilterQuery<Order>) : where, page);
}
