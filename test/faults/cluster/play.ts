import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Violation } from '../checks/violation.js';
import type { Try } from '../load/client-log.js';
import { Random } from '../load/random.js';
import { startRound } from '../load/round.js';
import { CLUSTER_KINDS, type ClusterKind } from './cluster-kinds.js';
import type { ClusterStage } from './cluster-stage.js';

/** Over how long the first requests are spread; the fault comes among them. */
const LENGTH_MS = 1500;
const SETTLE_WITHIN_MS = 60_000;
const DEADLINE_GRACE_MS = 10_000;
const ROUNDS_OF_EACH = 2;

export interface ClusterCell {
  readonly kind: ClusterKind;
  readonly round: number;
  readonly seed: number;
}

export interface ClusterResult {
  /** How the fault is known to have happened. */
  readonly proof: string;
  readonly violations: readonly Violation[];
}

/** Each kind some times, each time at another moment of a round. */
export function clusterCells(seed: number): ClusterCell[] {
  return CLUSTER_KINDS.flatMap((kind) =>
    Array.from({ length: ROUNDS_OF_EACH }, (_, at) => ({
      kind,
      round: at + 1,
      seed: createHash('sha256').update(`${seed} ${kind.name} ${at}`).digest().readUInt32BE(0),
    })),
  );
}

/** Plays one cell on a fresh tenant. The fault comes while its requests are under way. */
export async function playClusterCell(stage: ClusterStage, cell: ClusterCell): Promise<ClusterResult> {
  const { servers, processes, urls, databaseUrl, world } = stage;
  for (const each of processes) each.forgetSaid();
  const random = new Random(cell.seed);
  const round = await startRound(
    { urls, world, databaseUrl, redisUrl: servers.url },
    { seed: cell.seed, lengthMs: LENGTH_MS, settleMs: SETTLE_WITHIN_MS, deadlineGraceMs: DEADLINE_GRACE_MS },
  );
  try {
    const { tenantId } = round.supply;
    const happening = pause(random.between(0, LENGTH_MS / 2)).then(async () => {
      const scene = { servers, tenantId, master: await servers.masterOf(tenantId), random };
      const fromMs = performance.now();
      const { proof, mayForget } = await cell.kind.happen(scene);
      const met = requestsSince(round.workload.log.tries, fromMs);
      return { proof: `${proof}; ${met} requests met it`, mayForget };
    });
    const [{ proof, mayForget }] = await Promise.all([happening, round.run()]);
    await servers.whole();
    const said = processes.map((each) => each.said());
    // What a replica had not heard of is lost with its master: windows of attempts, and claims without a row.
    const { violations } = await round.judge(said, mayForget);
    return { proof, violations };
  } finally {
    await round.close();
  }
}

/** @throws Error when there was none: then nothing was tried */
function requestsSince(tries: readonly Try[], fromMs: number): number {
  const untilMs = performance.now();
  const met = tries.filter(
    ({ startMs, endMs }) =>
      (startMs >= fromMs && startMs < untilMs) || (startMs < fromMs && endMs !== null && endMs > fromMs),
  );
  if (met.length === 0) throw new Error('No request met the fault.');
  return met.length;
}
