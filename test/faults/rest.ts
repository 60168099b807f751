import { setTimeout as pause } from 'node:timers/promises';
import { systemEm } from '../../src/platform/orm/orm.js';
import type { World } from '../support/world.js';
import { pendingJobs } from './pending-jobs.js';
import type { Stage } from './stage.js';

const POLL_MS = 20;

/**
 * Waits until no claim of the tenant is open, no job is left to do, and every event was handed on, without anybody asking for anything.
 * @returns how long that took, or null when it did not come in time
 */
export async function untilRest(stage: Stage, tenantId: string, withinMs: number): Promise<number | null> {
  const beganMs = performance.now();
  const world = await stage.world();
  for (;;) {
    const isAtRest = await atRest(world, tenantId);
    const tookMs = performance.now() - beganMs;
    if (isAtRest) return tookMs;
    if (tookMs > withinMs) return null;
    await pause(POLL_MS);
  }
}

async function atRest({ stores }: World, tenantId: string): Promise<boolean> {
  if ((await stores.redis.zcard(`{${tenantId}}:open`)) > 0) return false;
  if ((await pendingJobs(stores.redis, tenantId)).length > 0) return false;
  const [row] = await systemEm(stores.orm).execute<[{ pending: number }]>(
    `select count(*) as pending from outbox_event
     where tenant_id = ? and (seq is null or seq > (select published_seq from outbox_counter where tenant_id = ?))`,
    [tenantId, tenantId],
  );
  return row.pending === 0;
}
