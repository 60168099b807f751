import type { QueryResult } from '@mikro-orm/core';
import type { Em } from '../platform/database/orm.js';
import type { Id } from '../platform/ids.js';

/**
 * Raw for the forced index, as all that locks plans. The caller holds the plan's row, shared where it was known to be
 * unlimited: a second lock is asked for only where something is counted, or two callers would wait for each other.
 * @returns false where the inventory is unlimited, or empty
 */
export async function takeInventory(em: Em, tenantId: string, planId: Id): Promise<boolean> {
  const [plan] = await em.execute<{ inventory: number }[]>(
    'select inventory from plan where tenant_id = ? and id = ?',
    [tenantId, planId],
  );
  if (plan === undefined || plan.inventory <= 0) return false;
  const { affectedRows } = await em.execute<QueryResult>(
    `update plan force index (primary) set inventory = inventory - 1
      where tenant_id = ? and id = ? and inventory > 0`,
    [tenantId, planId],
    'run',
  );
  return affectedRows === 1;
}

/** A plan that staff have made unlimited in the meantime stays so. */
export async function returnInventory(em: Em, tenantId: string, planId: Id, count: number): Promise<void> {
  await em.execute(
    `update plan force index (primary) set inventory = inventory + ?
      where tenant_id = ? and id = ? and inventory >= 0`,
    [count, tenantId, planId],
    'run',
  );
}
