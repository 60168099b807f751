import type { World } from './world.js';
import { emOf } from './world.js';

/** The server ends transactions in which nothing is asked for ten seconds. */
const KEEP_ALIVE_MS = 3000;

/**
 * Holds the rows of the tenant that a statement locks, however long it takes until they are let go.
 * @param sql takes the tenant first, and then the others
 */
export async function holdRows(
  world: World,
  tenantId: string,
  sql: string,
  ...others: readonly string[]
): Promise<() => Promise<void>> {
  const em = emOf(world, tenantId);
  await em.begin();
  await em.execute(sql, [tenantId, ...others]);
  let asking: Promise<unknown> = Promise.resolve();
  const alive = setInterval(() => {
    // A test that failed has left its lock behind; what the server ends then is no error of its own.
    asking = em.execute('select 1').catch(() => clearInterval(alive));
  }, KEEP_ALIVE_MS).unref();
  return async () => {
    clearInterval(alive);
    await asking;
    await em.rollback();
  };
}

/** Holds the row of a code, so that commits on it wait: the database is slow, and nothing else is wrong. */
export async function holdCode(world: World, tenantId: string, codeId: string): Promise<() => Promise<void>> {
  return holdRows(world, tenantId, 'select id from code where tenant_id = ? and id = ? for update', codeId);
}

/** The same for all codes of a tenant. */
export async function holdCodes(world: World, tenantId: string): Promise<() => Promise<void>> {
  return holdRows(
    world,
    tenantId,
    'select id from code force index (primary) where tenant_id = ? for update',
  );
}
