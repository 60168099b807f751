import { setTimeout as pause } from 'node:timers/promises';
import type { Evidence } from './checks/evidence.js';
import type { Violation } from './checks/violation.js';
import type { Kind, Scene } from './kind.js';
import { Random } from './load/random.js';
import { startRound, type Round, type Target } from './load/round.js';
import { untilRest } from './rest.js';
import type { Stage } from './stage.js';
import type { ProcessName } from './stage-parts.js';
import { lookoutFor, LOSES_REPLY, type Step } from './steps.js';
import type { Verdict, Watch, WireEvent } from './wire-events.js';

export interface Cell {
  readonly step: Step;
  readonly kind: Kind;
  readonly seed: number;
}

/** HELD: the fault happened at its step, and everything still holds. */
export type Mark = 'HELD' | 'VIOLATED' | 'NOT_REACHED' | 'FAILED';

export interface CellResult {
  readonly cell: Cell;
  readonly mark: Mark;
  readonly violations: readonly Violation[];
  /** How the fault is known to have happened; or why it is not. */
  readonly proofs: readonly string[];
  /** From the mending until no claim was open and every event was published; null when that never came. */
  readonly recoveryMs: number | null;
  readonly tookMs: number;
  readonly tenantId: string;
  /** What clients were told, what the stores hold, and what a subscriber saw. */
  readonly known: Pick<Evidence, 'tries' | 'facts' | 'seen'>;
  /** What each process said during the cell. */
  readonly said: Readonly<Record<string, string>>;
}

/** Over how long the first requests are spread; the fault comes among them. */
const LENGTH_MS = 1000;
/** Far more than is needed, so that a busy machine is no violation. */
const REST_WITHIN_MS = 30_000;
const SETTLE_WITHIN_MS = 30_000;
const DEADLINE_GRACE_MS = 5000;
/** The fault comes at one of the first so many times that the step is seen; but once this time is over, at the next. */
const AT_MOST_AT = 4;
const AT_ONCE_AFTER_MS = 400;

/** Plays one cell on a fresh tenant, and leaves the stage whole. */
export async function playCell(stage: Stage, cell: Cell): Promise<CellResult> {
  const beganMs = performance.now();
  const saidBefore = saidLengths(stage);
  const act = new Act(stage, cell);
  let round: Round | null = null;
  try {
    round = await startRound(await targetOf(stage), {
      seed: cell.seed,
      lengthMs: LENGTH_MS,
      settleMs: SETTLE_WITHIN_MS,
      deadlineGraceMs: DEADLINE_GRACE_MS,
    });
    await act.arm(round.supply.tenantId);
    await round.run();
    await act.over();
    const recoveryMs = await untilRest(stage, round.supply.tenantId, REST_WITHIN_MS);
    const said = saidSince(stage, saidBefore);
    const { violations, evidence } = await round.judge(Object.values(said), cell.kind.makesRedisForget);
    return {
      cell,
      ...act.verdict(violations),
      recoveryMs,
      tookMs: performance.now() - beganMs,
      tenantId: round.supply.tenantId,
      known: { tries: evidence.tries, facts: evidence.facts, seen: evidence.seen },
      said: saidSince(stage, saidBefore),
    };
  } finally {
    stage.watch = null;
    await round?.close();
    await stage.mend();
  }
}

/** The addresses of the stores change when they are started anew. */
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

/** The one fault of a cell: waits for its step, lets it happen, and mends it. */
class Act {
  private readonly stage: Stage;
  private readonly cell: Cell;
  private readonly random: Random;
  private readonly at: number;
  private readonly proofs: string[] = [];
  private readonly mending: Promise<void>[] = [];
  private happening: Promise<Verdict> | null = null;
  private failure: Error | null = null;
  private seen = 0;

  constructor(stage: Stage, cell: Cell) {
    this.stage = stage;
    this.cell = cell;
    this.random = new Random(cell.seed);
    // Of retries there is but one.
    this.at = cell.step === 'CLIENT_RETRIES' ? 1 : this.random.between(1, AT_MOST_AT);
  }

  async arm(tenantId: string): Promise<void> {
    const { stage, cell } = this;
    const prepared = await cell.kind.prepare?.(stage, tenantId);
    const before: Watch | null = stage.watch;
    const lookout = lookoutFor(cell.step, tenantId);
    const armedMs = performance.now();
    stage.watch = (event) => {
      const verdict = before?.(event) ?? 'PASS';
      if (this.happening !== null) return verdict;
      const sighting = lookout(event);
      if (sighting === 'LOSE') return 'RESET';
      if (sighting === 'ON') return verdict;
      this.seen += 1;
      if (this.seen < this.at && performance.now() < armedMs + AT_ONCE_AFTER_MS) return verdict;
      this.happening = this.happen(event, tenantId, prepared);
      return this.happening;
    };
  }

  /** Resolves when the fault has happened and is mended. */
  async over(): Promise<void> {
    await this.happening;
    await Promise.all(this.mending).catch((error: unknown) => {
      this.failure ??= asError(error);
    });
    this.stage.watch = null;
    await this.stage.mend();
  }

  verdict(violations: readonly Violation[]): Pick<CellResult, 'mark' | 'violations' | 'proofs'> {
    const { proofs, failure, seen, at } = this;
    if (failure !== null) return { mark: 'FAILED', violations, proofs: [...proofs, failure.message] };
    if (proofs.length === 0)
      return { mark: 'NOT_REACHED', violations, proofs: [`the step was seen ${seen} times, not ${at}`] };
    return { mark: violations.length === 0 ? 'HELD' : 'VIOLATED', violations, proofs };
  }

  private async happen(event: WireEvent, tenantId: string, prepared: unknown): Promise<Verdict> {
    const { stage, cell, random } = this;
    const mends: (() => Promise<void>)[] = [];
    const scene: Scene = {
      stage,
      step: cell.step,
      tenantId,
      random,
      event,
      prepared,
      api: apiOf(event.link.process),
      afterwards: (mend) => void mends.push(mend),
      prove: (what) => void this.proofs.push(what),
    };
    try {
      const verdict = await cell.kind.happen(scene);
      return verdict === 'PASS' && LOSES_REPLY.has(cell.step) ? 'RESET' : verdict;
    } catch (error) {
      this.failure = asError(error);
      return 'PASS';
    } finally {
      // The message goes on first.
      this.mending.push(...mends.map(async (mend) => pause(1).then(mend)));
    }
  }
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

function apiOf(process: ProcessName): ProcessName {
  return process.startsWith('api') ? process : 'api1';
}

function saidLengths(stage: Stage): ReadonlyMap<string, number> {
  return new Map(Object.values(stage.processes).map((each) => [each.name, each.said().length]));
}

function saidSince(stage: Stage, lengths: ReadonlyMap<string, number>): Record<string, string> {
  return Object.fromEntries(
    Object.values(stage.processes).map((each) => [each.name, each.said().slice(lengths.get(each.name) ?? 0)]),
  );
}
