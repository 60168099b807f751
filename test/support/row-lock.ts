import type { World } from './world.js';
import { emOf } from './world.js';

/** Holds the row of a code, so that commits on it wait: the database is slow, and nothing else is wrong. */
export async function holdCode(world: World, tenantId: string, codeId: string): Promise<() => Promise<void>> {
  const em = emOf(world, tenantId);
  await em.begin();
  await em.execute('select id from code where tenant_id = ? and id = ? for update', [tenantId, codeId]);
  return async () => em.rollback();
}
