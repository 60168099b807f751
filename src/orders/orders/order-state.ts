import type { QueryResult } from '@mikro-orm/core';
import { invariant } from '../../platform/assert.js';
import type { RowValues } from '../../platform/database/insert-rows.js';
import type { Em } from '../../platform/database/orm.js';
import { sortedIds, type Id } from '../../platform/ids.js';
import type { OrderStatus } from './order.entity.js';

/** Every move of a placed order. What is not listed cannot happen. A redemption's order is born FINISHED or FAILED. */
export const ORDER_MOVES: Readonly<Record<OrderStatus, readonly OrderStatus[]>> = {
  PENDING: ['PAID', 'CLOSED', 'FAILED'],
  PAID: ['FINISHED', 'REFUNDED'],
  FINISHED: ['REFUNDED'],
  CLOSED: [],
  FAILED: [],
  REFUNDED: [],
};

export interface OrderMove {
  readonly from: OrderStatus;
  readonly to: OrderStatus;
  /** Other columns that change with the status. */
  readonly set: RowValues;
}

/**
 * Moves orders by compare-and-set: those that are not in `from` any more stay as they are. Every change of a status
 * comes through here. Raw for the forced index: through another one that begins with the tenant, the statement would
 * lock the entry of that index before the row, and meet others in a deadlock.
 * @returns how many were moved
 */
export async function moveOrders(
  em: Em,
  tenantId: string,
  ids: readonly Id[],
  { from, to, set }: OrderMove,
): Promise<number> {
  invariant(ORDER_MOVES[from].includes(to), `An order cannot move from ${from} to ${to}.`);
  const values = { status: to, ...set };
  const { affectedRows } = await em.execute<QueryResult>(
    `update \`order\` force index (primary) set ${Object.keys(values)
      .map((column) => `${column} = ?`)
      .join(', ')} where tenant_id = ? and id in (?) and status = ?`,
    [...Object.values(values), tenantId, sortedIds(ids), from],
    'run',
  );
  return affectedRows;
}
