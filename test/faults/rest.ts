import { setTimeout as pause } from 'node:timers/promises';
import { systemEm } from '../../src/platform/database/orm.js';
import type { World } from '../support/world.js';
import { pendingJobs } from './pending-jobs.js';
import type { Stage } from './stage.js';

const POLL_MS = 20;

/**
 * Waits until no claim of the tenant is open, no job is left to do, no batch is under way, and every event was handled,
 * without any request.
 * @returns what is then still open; nothing at rest
 */
export async function untilRest(
  stage: Stage,
  tenantId: string,
  withinMs: number,
): Promise<readonly string[]> {
  const world = await stage.world();
  const untilMs = performance.now() + withinMs;
  for (;;) {
    const open = await openOf(world, tenantId);
    if (open.length === 0 || performance.now() > untilMs) return open;
    await pause(POLL_MS);
  }
}

/**
 * Takes down what is open at this moment, when a fault is over, and waits until all of that is settled, whatever else
 * comes meanwhile.
 * @returns how long that took, or null when it did not come in time
 */
export async function recovery(stage: Stage, tenantId: string, withinMs: number): Promise<number | null> {
  const beganMs = performance.now();
  const world = await stage.world();
  let left = await openOf(world, tenantId);
  while (left.length > 0) {
    if (performance.now() > beganMs + withinMs) return null;
    await pause(POLL_MS);
    const open = new Set(await openOf(world, tenantId));
    left = left.filter((each) => open.has(each));
  }
  return performance.now() - beganMs;
}

/** Claims not settled, jobs not done, batches not made and events not handled. */
async function openOf({ stores }: World, tenantId: string): Promise<string[]> {
  const claims = await stores.redis.zrange(`{${tenantId}}:open`, '0', '-1');
  const jobs = await pendingJobs(stores.redis, tenantId);
  const batches = await systemEm(stores.orm).execute<{ id: string }[]>(
    `select cast(id as char) as id from code_batch where tenant_id = ? and status in ('PENDING', 'GENERATING')`,
    [tenantId],
  );
  const events = await systemEm(stores.orm).execute<{ id: number }[]>(
    `select seq as id from outbox_event
      where tenant_id = ? and seq > coalesce((select min(seq) from event_consumer where tenant_id = ?), 0)`,
    [tenantId, tenantId],
  );
  return [
    ...claims.map((member) => `claim ${member}`),
    ...jobs.map((id) => `job ${id}`),
    ...batches.map(({ id }) => `batch ${id}`),
    ...events.map(({ id }) => `event ${id}`),
  ];
}
