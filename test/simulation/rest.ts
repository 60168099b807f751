import { setTimeout as pause } from 'node:timers/promises';
import { driftsOf, reconcilerOf } from '../support/reconciliation.js';
import { emOf, type World } from '../support/world.js';
import { unexplained } from './explained.js';
import type { Model } from './model.js';
import type { Scene } from './scene.js';
import { wrongSums } from './sums.js';

/** It only ends a wait in vain. */
const REST_WITHIN_MS = 60_000;
/** A sweep leaves an order to the next one whose rows others have held for too long. */
const SWEEPS_MAX = 5;
const POLL_MS = 20;

export interface Resting {
  readonly worlds: readonly [World, ...World[]];
  readonly scene: Scene;
  readonly model: Model;
}

/** Closes every order that is still PENDING, by all workers at once. @returns those that are not closed, in words */
export async function closeAll({ worlds, scene: { tenantId } }: Resting): Promise<string[]> {
  const em = emOf(worlds[0], tenantId);
  const sql =
    'update order_placement set due_at = utc_timestamp(3) where tenant_id = ? and due_at is not null';
  await em.execute(sql, [tenantId]);
  let left: { id: string }[] = [];
  for (let sweep = 0; sweep < SWEEPS_MAX; sweep += 1) {
    await Promise.all(worlds.map(async ({ services }) => services.orderTimeouts.sweep()));
    left = await em.execute(
      `select cast(id as char) as id from \`order\` where tenant_id = ? and status = 'PENDING'`,
      [tenantId],
    );
    if (left.length === 0) break;
  }
  return left.map(({ id }) => `order ${id} is PENDING, and its time is over`);
}

/** Waits until nothing is under way. @returns what does not hold then, in words */
export async function faultsAtRest(resting: Resting): Promise<string[]> {
  const { worlds, scene, model } = resting;
  const [world] = worlds;
  const { tenantId } = scene;
  await Promise.all(worlds.map(async ({ services }) => services.groupCommit.drained()));
  const open = await untilRest(world, tenantId);
  const report = await reconcilerOf(world).reconciler.run({ tenantId, repair: false });
  const drifts = Object.entries(driftsOf(report)).map(([kind, count]) => {
    const [sample] = report.checks.find((check) => check.kind === kind)?.samples ?? [];
    return `reconcile: ${kind} ${count}, as ${JSON.stringify(sample)}`;
  });
  return [
    ...open,
    ...drifts,
    ...(await wrongSums(world, tenantId)),
    ...(await unexplained({ world, scene, model })),
  ];
}

/** Until no claim is open, and all events are handled. @returns what is still open after a while */
async function untilRest(world: World, tenantId: string): Promise<string[]> {
  const untilMs = performance.now() + REST_WITHIN_MS;
  for (;;) {
    const open = await openOf(world, tenantId);
    if (open.length === 0 || performance.now() > untilMs) return open;
    await pause(POLL_MS);
  }
}

async function openOf(world: World, tenantId: string): Promise<string[]> {
  const claims = await world.stores.redis.zcard(`{${tenantId}}:open`);
  const [row] = await emOf(world, tenantId).execute<{ behind: number | string }[]>(
    `select count(*) as behind from outbox_counter c join event_consumer e on e.tenant_id = c.tenant_id
      and e.seq = c.last_seq where c.tenant_id = ?`,
    [tenantId],
  );
  const waiting = world.services.consumers.length - Number(row?.behind ?? 0);
  return [
    ...(claims > 0 ? [`${claims} claims are open`] : []),
    ...(waiting > 0 ? [`${waiting} consumers have events to handle`] : []),
  ];
}
