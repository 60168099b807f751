import path from 'node:path';
import { present } from '../../src/platform/assert.js';
import { drainOutbox, readCounters } from './database.js';
import type { Intents } from './intents.js';
import type { LoadProcess } from './load-process.js';
import type { BenchOptions } from './options.js';
import { perRequestUs, processorTimes } from './processor-time.js';
import { runRound, type Attempt, type Intent, type Round, type RoundKind } from './round.js';
import type { ServerProcess } from './server-process.js';
import type { BenchWorld } from './world.js';

export interface MeasuredRound extends Round {
  /** What the database was asked for, publication of the events included. */
  readonly commits: number;
  readonly selects: number;
  /** From the last answer to the publication of the last event. */
  readonly consumerLagMs: number;
}

export interface BenchParts {
  readonly world: BenchWorld;
  readonly load: LoadProcess;
  readonly intents: Intents;
  readonly options: BenchOptions;
  readonly say: (line: string) => void;
  /** Where profiles go; null for none. */
  readonly profileDir: string | null;
}

interface Side {
  readonly kind: RoundKind;
  readonly servers: readonly ServerProcess[];
}

/** A round of each side, one right after the other. */
export type Turn = readonly MeasuredRound[];

/** How much faster rounds of one kind were than those of another, turn by turn. */
export function ratios(
  turns: readonly Turn[],
  over: RoundKind,
  under: RoundKind,
  valueOf: (round: MeasuredRound) => number = (round) => round.rps,
): readonly number[] {
  const value = (turn: Turn, kind: RoundKind): number =>
    valueOf(
      present(
        turn.find((round) => round.kind === kind),
        `A round of ${kind}`,
      ),
    );
  return turns.map((turn) => value(turn, over) / value(turn, under));
}

/** Runs rounds one after another and keeps their results. */
export class Bench {
  /** Those that count for figures. */
  readonly measured: MeasuredRound[] = [];
  /** All of the run, warm-up included. */
  readonly attempts: Attempt[] = [];
  readonly unexpected: string[] = [];
  private readonly amounts = new Map<RoundKind, number>();
  private readonly parts: BenchParts;

  constructor(parts: BenchParts) {
    this.parts = parts;
  }

  /** Runs code hot, and finds out how many requests make a round. */
  async warmUp(kind: RoundKind, servers: readonly ServerProcess[], count: number): Promise<Round> {
    // The second half is at full speed, the first is not.
    const half = Math.max(1, Math.floor(count / 2));
    await this.run(kind, servers, await this.parts.intents.of(kind, half));
    const round = await this.run(kind, servers, await this.parts.intents.of(kind, half));
    await drainOutbox(this.parts.world, this.parts.intents.tenantId);
    this.calibrate(kind, round.rps);
    return round;
  }

  calibrate(kind: RoundKind, rps: number): void {
    const { connections, size } = this.parts.options;
    const amount = Math.round((rps * size.roundMs) / 1000);
    this.amounts.set(
      kind,
      Math.min(size.roundMax, Math.max(amount, Math.min(size.roundMax, connections * 4))),
    );
  }

  /** Requests of a round of this kind. */
  amount(kind: RoundKind): number {
    if (kind === 'race') return this.parts.options.size.racers;
    return this.amounts.get(kind) ?? this.parts.options.connections;
  }

  /** Rounds of these kinds in turn. */
  async inTurn(sides: readonly Side[], withKeys = true): Promise<readonly Turn[]> {
    const { pairs, figureMsMax } = this.parts.options.size;
    const startMs = performance.now();
    const turns: Turn[] = [];
    while (turns.length < pairs && (turns.length < 3 || performance.now() - startMs < figureMsMax)) {
      const turn: MeasuredRound[] = [];
      for (const { kind, servers } of sides) turn.push(await this.measure(kind, servers, withKeys));
      turns.push(turn);
      this.parts.say(`  ${turn.map(({ kind, rps }) => `${kind} ${rps.toFixed(0)}/s`).join(', ')}`);
    }
    return turns;
  }

  /** Rounds of two kinds in turn; answers how much faster the second is, pair by pair. */
  async compare(base: Side, other: Side, withKeys = true): Promise<readonly number[]> {
    return ratios(await this.inTurn([base, other], withKeys), other.kind, base.kind);
  }

  /** A round outside of all figures. */
  async run(kind: RoundKind, servers: readonly ServerProcess[], intents: readonly Intent[]): Promise<Round> {
    const connections = this.connectionsOf(kind, intents.length);
    const urls = servers.map((server) => server.address);
    const before = await processorTimes(servers, this.parts.world.dataDir);
    const round = await runRound(
      this.parts.load,
      { kind, tenantId: this.parts.intents.tenantId, urls, connections },
      intents,
    );
    const after = await processorTimes(servers, this.parts.world.dataDir);
    this.attempts.push(...round.attempts);
    this.unexpected.push(...round.unexpected);
    if (round.unexpected.length > 0) {
      this.parts.say(`  ${round.unexpected.length} unexpected answers, e.g. ${round.unexpected[0]}`);
    }
    return { ...round, cpuUs: perRequestUs(before, after, round.requests) };
  }

  private connectionsOf(kind: RoundKind, requests: number): number {
    // Racers start at the same moment, each over its own connection.
    if (kind === 'race') return requests;
    return kind === 'empty_256' || kind === 'redeem_256' ? 256 : this.parts.options.connections;
  }

  private async measure(
    kind: RoundKind,
    servers: readonly ServerProcess[],
    withKeys: boolean,
  ): Promise<MeasuredRound> {
    const { world, intents } = this.parts;
    // "Unknown" is cached for a minute only, so it is asked for again shortly before the measurement.
    if (kind === 'refusal') await this.run(kind, servers, await intents.warmRefusals());
    const wanted = await intents.of(kind, this.amount(kind), withKeys);
    await drainOutbox(world, intents.tenantId);
    const before = await readCounters(world);
    const round = await this.profiled(kind, servers, async () => this.run(kind, servers, wanted));
    // The reads of the drain are the benchmark's own.
    const { selects } = await readCounters(world);
    const consumerLagMs = await drainOutbox(world, intents.tenantId);
    const { commits } = await readCounters(world);
    const measured = {
      ...round,
      consumerLagMs,
      commits: commits - before.commits,
      selects: selects - before.selects,
    };
    this.measured.push(measured);
    return measured;
  }

  private async profiled<T>(
    kind: RoundKind,
    servers: readonly ServerProcess[],
    work: () => Promise<T>,
  ): Promise<T> {
    const { profileDir } = this.parts;
    const [server] = servers;
    if (profileDir === null || server === undefined) return work();
    await server.profile();
    const result = await work();
    await server.writeProfile(path.join(profileDir, `${kind}-${this.measured.length}.cpuprofile`));
    return result;
  }
}
