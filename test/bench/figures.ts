import type { MeasuredRound } from './bench.js';
import { overRedeemed, underRedeemed, type Deviations } from './count.js';
import type { RatioName } from './options.js';
import { ROUND_KINDS, type RoundKind } from './round.js';
import { median, percentile, rounded } from './statistics.js';

/** What each figure should reach; see DESIGN section 6. */
const TARGETS = {
  redeem_vs_raw: { least: 0.08 },
  empty_vs_raw: { least: 0.25 },
  redeem_cpu_vs_raw: { most: 16 },
  redeem_vs_empty: { least: 0.4 },
  redeem_vs_empty_256: { least: 0.55 },
  redeem_vs_plain: { least: 5 },
  hot_code_vs_distinct: { least: 0.9 },
  redeem_four_rewards_vs_redeem: { least: 0.5 },
  redeem_conditions_vs_redeem: { least: 0.7 },
  encrypted_vs_plain: { least: 0.85 },
  refusal_vs_empty: { least: 0.9 },
  race_loser_vs_refusal: { least: 0.3 },
  race_loser_p99_ms: { most: 1500 },
  race_losers_held: { most: 0 },
  two_processes_vs_one: { least: 1 },
  pinned_vs_unpinned: { least: 1.3 },
  // What it is at least today: each tenant has its own statements and its own commit.
  many_tenants_vs_one: { least: 0.2 },
  neighbour_p99: { most: 3 },
  generate_vs_bulk_load: { most: 4 },
  // The tenant's few keys, shared by all its codes.
  redis_bytes_per_untouched_code: { most: 0.1 },
  redis_bytes_per_idle_code: { most: 100 },
  transfers_vs_raw_sql: { least: 0.5 },
  redeem_10m_vs_10k: { least: 0.9 },
  // Of one process; a rate, and no ratio.
  close_orders: { least: 500 },
  transactions_per_1000: { most: 25 },
  refusal_db_reads_per_1000: { most: 5 },
  over_redeemed: { most: 0 },
  under_redeemed: { most: 0 },
} as const satisfies Record<string, { least: number } | { most: number }>;

export type FigureName = keyof typeof TARGETS;

export interface Figure {
  readonly name: FigureName;
  readonly value: number;
  /** E.g. `≥ 0.6`. */
  readonly target: string;
  readonly isMet: boolean;
}

export interface KindFigures {
  readonly kind: RoundKind;
  readonly rounds: number;
  readonly requests: number;
  readonly rps: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly serverCpuUs: number;
  readonly databaseCpuUs: number;
  readonly redisCpuUs: number;
  readonly loadCpuUs: number;
  readonly consumerLagMs: number;
}

/** A figure beside its target. */
export function figureOf(name: FigureName, exact: number): Figure {
  const target = TARGETS[name];
  const value = rounded(exact, 3);
  return 'least' in target
    ? { name, value, target: `≥ ${target.least}`, isMet: value >= target.least }
    : { name, value, target: `≤ ${target.most}`, isMet: value <= target.most };
}

/** Everything that a run came to, in the order in which it is shown. */
export function figuresOf(
  ratios: ReadonlyMap<RatioName, readonly number[]>,
  rounds: readonly MeasuredRound[],
  deviations: Deviations,
): readonly Figure[] {
  // A neighbour suffers from the worst flood, not from the middle one.
  const figures = [...ratios].map(([name, values]) =>
    figureOf(name, name === 'neighbour_p99' ? Math.max(...values) : median(values)),
  );
  const redeems = rounds.filter(({ kind }) => kind === 'redeem');
  const committed = sumOf(redeems, (round) => round.committed);
  if (committed > 0) {
    figures.push(
      figureOf('transactions_per_1000', (sumOf(redeems, (round) => round.commits) / committed) * 1000),
    );
  }
  const refusals = rounds.filter(({ kind }) => kind === 'refusal');
  const refused = sumOf(refusals, (round) => round.requests);
  if (refused > 0) {
    figures.push(
      figureOf('refusal_db_reads_per_1000', (sumOf(refusals, (round) => round.selects) / refused) * 1000),
    );
  }
  const races = rounds.filter(({ kind }) => kind === 'race');
  if (races.length > 0) {
    const latenciesMs = new Float64Array(races.flatMap((round) => [...round.latenciesMs]));
    const held = races.flatMap(({ attempts }) => attempts.filter(({ answer }) => answer.why === 'CODE_HELD'));
    figures.push(figureOf('race_loser_p99_ms', percentile(latenciesMs, 0.99)));
    figures.push(figureOf('race_losers_held', held.length));
  }
  figures.push(figureOf('over_redeemed', overRedeemed(deviations)));
  figures.push(figureOf('under_redeemed', underRedeemed(deviations)));
  return figures;
}

/** Rates and latencies of each kind of round. Rates are medians over rounds, latencies are of all requests together. */
export function kindFiguresOf(rounds: readonly MeasuredRound[]): readonly KindFigures[] {
  return ROUND_KINDS.flatMap((kind) => {
    const own = rounds.filter((round) => round.kind === kind);
    if (own.length === 0) return [];
    const latenciesMs = new Float64Array(own.flatMap((round) => [...round.latenciesMs]));
    const middle = (value: (round: MeasuredRound) => number): number => median(own.map(value));
    return [
      {
        kind,
        rounds: own.length,
        requests: latenciesMs.length,
        rps: rounded(
          middle((round) => round.rps),
          0,
        ),
        p50Ms: rounded(percentile(latenciesMs, 0.5), 2),
        p99Ms: rounded(percentile(latenciesMs, 0.99), 2),
        serverCpuUs: rounded(
          middle((round) => round.cpuUs.server),
          1,
        ),
        databaseCpuUs: rounded(
          middle((round) => round.cpuUs.database),
          1,
        ),
        redisCpuUs: rounded(
          middle((round) => round.cpuUs.redis),
          1,
        ),
        loadCpuUs: rounded(
          middle((round) => round.loadCpuUs),
          1,
        ),
        consumerLagMs: rounded(
          middle((round) => round.consumerLagMs),
          0,
        ),
      },
    ];
  });
}

function sumOf(rounds: readonly MeasuredRound[], value: (round: MeasuredRound) => number): number {
  return rounds.reduce((sum, round) => sum + value(round), 0);
}
