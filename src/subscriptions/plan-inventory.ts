import type { QueryResult } from '@mikro-orm/core';
import type { Em } from '../platform/database/orm.js';
import type { Id } from '../platform/ids.js';

/** Raw for the forced index, as all that locks plans. @returns false where the inventory is unlimited, or empty */
export async function takeInventory(em: Em, tenantId: string, planId: Id): Promise<boolean> {
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
