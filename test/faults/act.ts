import { setTimeout as pause } from 'node:timers/promises';
import type { Cell, CellResult } from './cell-result.js';
import { violation, type Violation } from './checks/violation.js';
import type { Scene } from './kind.js';
import { Random } from './load/random.js';
import type { Round } from './load/round.js';
import { orderBatch, orderImport } from './load/supply.js';
import { recovery, untilRest } from './rest.js';
import type { Stage } from './stage.js';
import type { ProcessName } from './stage-parts.js';
import { isOfBatch, isOfImport, LEAVES_CLAIM, lookoutFor, LOSES_REPLY } from './steps.js';
import { textOf, type Verdict, type Watch, type WireEvent } from './wire-events.js';

/** Far more than is needed, so that a busy machine is no violation. */
const REST_WITHIN_MS = 60_000;
/** The fault strikes at one of the first occurrences of its step; after this time, at the next one. */
const AT_MOST_AT = 4;
const AT_ONCE_AFTER_MS = 400;
/** A batch may be begun when all requests are answered. */
const BATCH_WITHIN_MS = 30_000;
const POLL_MS = 10;
/** How many unsettled claims, jobs and events a failure lists. */
const TOLD_MAX = 5;

/** The one fault of a cell: waits for its step, lets it happen, mends it, and sees what it left behind come to rest. */
export class Act {
  private readonly stage: Stage;
  private readonly cell: Cell;
  private readonly round: Round;
  private readonly random: Random;
  private readonly at: number;
  private readonly proofs: string[] = [];
  private readonly found: Violation[] = [];
  private happening: Promise<Verdict> | null = null;
  private proving: Promise<void> = Promise.resolve();
  /** From the end of the last mending. */
  private recovering: Promise<number | null> | null = null;
  private failure: Error | null = null;
  private seen = 0;

  constructor(stage: Stage, cell: Cell, round: Round) {
    this.stage = stage;
    this.cell = cell;
    this.round = round;
    this.random = new Random(cell.seed);
    // Of retries there is but one.
    this.at = cell.step === 'CLIENT_RETRIES' ? 1 : this.random.between(1, AT_MOST_AT);
  }

  async arm(): Promise<void> {
    const { stage, cell, round } = this;
    const { tenantId } = round.supply;
    const prepared = await cell.kind.prepare?.(stage, tenantId);
    const before: Watch | null = stage.watch;
    const lookout = lookoutFor(cell.step, tenantId);
    const armedMs = performance.now();
    stage.watch = (event) => {
      const verdict = before?.(event) ?? 'PASS';
      if (this.happening !== null || cell.kind.isReady?.(prepared) === false) return verdict;
      const sighting = lookout(event);
      if (sighting === 'LOSE') return 'RESET';
      if (sighting === 'ON') return verdict;
      this.seen += 1;
      if (this.seen < this.at && performance.now() < armedMs + AT_ONCE_AFTER_MS) return verdict;
      this.happening = this.happen(event, prepared);
      return this.happening;
    };
    const order = isOfImport(cell.step) ? orderImport : orderBatch;
    if (isOfBatch(cell.step)) await order(await stage.world(), round.supply);
  }

  /**
   * Resolves when the fault has happened and is mended, and everything is at rest without anybody having asked for it.
   * @returns how long after the mending all was settled that had been open then; null when that was not seen
   */
  async over(): Promise<number | null> {
    const { stage, cell, round } = this;
    if (isOfBatch(cell.step)) await this.reached();
    await this.happening;
    const recoveryMs = (await this.recovering) ?? null;
    await this.proving;
    stage.watch = null;
    await stage.mend();
    const open = await untilRest(stage, round.supply.tenantId, REST_WITHIN_MS);
    if (open.length > 0) {
      const some = open.slice(0, TOLD_MAX).join(', ');
      const what = `${open.length} still open ${REST_WITHIN_MS / 1000} s after the fault: ${some}`;
      this.found.push(violation('I6', what));
    } else if (recoveryMs === null && this.recovering !== null && this.failure === null) {
      this.found.push(violation('I6', `${cell.step}: what the fault left open was not settled in time`));
    }
    return recoveryMs;
  }

  private async reached(): Promise<void> {
    const giveUp = AbortSignal.timeout(BATCH_WITHIN_MS);
    while (this.happening === null && !giveUp.aborted) await pause(POLL_MS);
  }

  verdict(checked: readonly Violation[]): Pick<CellResult, 'mark' | 'violations' | 'proofs'> {
    const { proofs, failure, seen, at } = this;
    const violations = [...this.found, ...checked];
    if (failure !== null) return { mark: 'FAILED', violations, proofs: [...proofs, failure.message] };
    if (proofs.length === 0)
      return { mark: 'NOT_REACHED', violations, proofs: [`the step was seen ${seen} times, not ${at}`] };
    return { mark: violations.length === 0 ? 'HELD' : 'VIOLATED', violations, proofs };
  }

  private async happen(event: WireEvent, prepared: unknown): Promise<Verdict> {
    const { stage, cell, random, round } = this;
    const mends: (() => Promise<void>)[] = [];
    const later: (() => Promise<string>)[] = [];
    const scene: Scene = {
      stage,
      step: cell.step,
      tenantId: round.supply.tenantId,
      random,
      event,
      prepared,
      api: apiOf(event.link.process),
      afterwards: (mend) => void mends.push(mend),
      prove: (what) => void this.proofs.push(what),
      proveLater: (how) => void later.push(how),
    };
    // What the fault leaves behind has to be settled without their help.
    if (LEAVES_CLAIM.has(cell.step)) round.workload.forsake(event.link.process, textOf(event));
    try {
      const verdict = await cell.kind.happen(scene);
      return verdict === 'PASS' && LOSES_REPLY.has(cell.step) ? 'RESET' : verdict;
    } catch (error) {
      this.failure = asError(error);
      return 'PASS';
    } finally {
      // The message is passed on first.
      this.recovering = pause(1).then(async () => this.mend(mends));
      this.proving = pause(1).then(async () => this.prove(later));
    }
  }

  private async prove(later: readonly (() => Promise<string>)[]): Promise<void> {
    try {
      for (const how of later) this.proofs.push(await how());
    } catch (error) {
      this.failure ??= asError(error);
    }
  }

  private async mend(mends: readonly (() => Promise<void>)[]): Promise<number | null> {
    try {
      await Promise.all(mends.map(async (mend) => mend()));
      return await recovery(this.stage, this.round.supply.tenantId, REST_WITHIN_MS);
    } catch (error) {
      this.failure ??= asError(error);
      return null;
    }
  }
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

function apiOf(process: ProcessName): ProcessName {
  return process.startsWith('api') ? process : 'api1';
}
