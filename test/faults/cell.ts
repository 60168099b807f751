import { Act } from './act.js';
import type { Cell, CellResult } from './cell-result.js';
import { startRound, type Round, type Target } from './load/round.js';
import type { Stage } from './stage.js';

/** Over how long the first requests are spread; the fault comes among them. */
const LENGTH_MS = 1000;
/** Far more than is needed, so that a busy machine is no violation. */
const SETTLE_WITHIN_MS = 60_000;
const DEADLINE_GRACE_MS = 5000;

/** Plays one cell on a fresh tenant, and leaves the stage whole. */
export async function playCell(stage: Stage, cell: Cell): Promise<CellResult> {
  const beganMs = performance.now();
  for (const each of Object.values(stage.processes)) each.forgetSaid();
  let round: Round | null = null;
  try {
    round = await startRound(await targetOf(stage), {
      seed: cell.seed,
      lengthMs: LENGTH_MS,
      settleMs: SETTLE_WITHIN_MS,
      deadlineGraceMs: DEADLINE_GRACE_MS,
    });
    const act = new Act(stage, cell, round);
    await act.arm();
    await round.run();
    const recoveryMs = await act.over();
    const said = saidOn(stage);
    const { violations, evidence } = await round.judge(Object.values(said), cell.kind.makesRedisForget);
    return {
      cell,
      ...act.verdict(violations),
      recoveryMs,
      tookMs: performance.now() - beganMs,
      tenantId: round.supply.tenantId,
      known: { tries: evidence.tries, facts: evidence.facts, seen: evidence.seen },
      said: saidOn(stage),
    };
  } finally {
    stage.watch = null;
    await stage.mend();
    await round?.close();
  }
}

/** A cell that came to no end, for which the harness is to blame, or a process that hangs. */
export function failedCell(stage: Stage, cell: Cell, why: string): CellResult {
  return {
    cell,
    mark: 'FAILED',
    violations: [],
    proofs: [why],
    recoveryMs: null,
    tookMs: 0,
    tenantId: '?',
    known: {},
    said: saidOn(stage),
  };
}

/** The addresses of the stores change when they are restarted. */
async function targetOf(stage: Stage): Promise<Target> {
  const { urls, stores } = stage;
  return {
    urls,
    world: await stage.world(),
    get databaseUrl() {
      return stores.database.url;
    },
    get redisUrl() {
      return stores.redis.url;
    },
  };
}

function saidOn({ processes }: Stage): Record<string, string> {
  return Object.fromEntries(Object.values(processes).map((each) => [each.name, each.said()]));
}
