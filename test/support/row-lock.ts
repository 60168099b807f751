import type { World } from './world.js';
import { emOf } from './world.js';

/** The server ends transactions in which nothing is asked for ten seconds. */
const KEEP_ALIVE_MS = 3000;

/** Holds the row of a code, so that commits on it wait: the database is slow, and nothing else is wrong. */
export async function holdCode(world: World, tenantId: string, codeId: string): Promise<() => Promise<void>> {
  const em = emOf(world, tenantId);
  await em.begin();
  await em.execute('select id from code where tenant_id = ? and id = ? for update', [tenantId, codeId]);
  let asking: Promise<unknown> = Promise.resolve();
  const alive = setInterval(() => {
    // A test that failed has left its lock behind; what the server ends then is no error of its own.
    asking = em.execute('select 1').catch(() => clearInterval(alive));
  }, KEEP_ALIVE_MS);
  return async () => {
    clearInterval(alive);
    await asking;
    await em.rollback();
  };
}
