import { parseArgs } from 'node:util';
import type { GenerationSize } from './generation.js';
import type { NeighbourSize } from './neighbour.js';
import type { TransferSize } from './transfers.js';

/** The figures that are measured by themselves, in this order; most compare two sides in one run. */
export const RATIO_NAMES = [
  'redeem_vs_raw',
  'empty_vs_raw',
  'redeem_cpu_vs_raw',
  'redeem_vs_empty',
  'redeem_vs_empty_256',
  'hot_code_vs_distinct',
  'redeem_four_rewards_vs_redeem',
  'redeem_conditions_vs_redeem',
  'encrypted_vs_plain',
  'refusal_vs_empty',
  'race_loser_vs_refusal',
  'redeem_vs_plain',
  'two_processes_vs_one',
  'pinned_vs_unpinned',
  'many_tenants_vs_one',
  'neighbour_p99',
  'generate_vs_bulk_load',
  'redis_bytes_per_untouched_code',
  'redis_bytes_per_idle_code',
  'transfers_vs_raw_sql',
  'redeem_10m_vs_10k',
  'close_orders',
] as const;
export type RatioName = (typeof RATIO_NAMES)[number];

/** Codes that a tenant has while others of it are redeemed. */
export interface StoredSize {
  readonly few: number;
  readonly many: number;
  /** A database with this number of codes has the memory for them, and a log that need not be emptied within a round. */
  readonly databaseArgs: readonly string[];
}

/** The tenants whose redemptions are compared with those of one. */
export interface TenantsSize {
  readonly tenants: number;
  /** Of one round. */
  readonly redemptions: number;
}

/** How long a run takes, and so how far its figures can be trusted. */
export interface BenchSize {
  /** Rounds of each side of a ratio, in turn. */
  readonly pairs: number;
  /** What a round is meant to last; its number of requests comes from the rates of the warm-up. */
  readonly roundMs: number;
  /** A slow machine gets fewer pairs rather than a run without end. */
  readonly figureMsMax: number;
  readonly warmUp: number;
  readonly roundMax: number;
  readonly scarceCodes: number;
  /** Users who want the same single-use code at the same moment. */
  readonly racers: number;
  /** How many codes of each kind: unknown, used up and expired. */
  readonly refusedEach: number;
  readonly withTwoProcesses: boolean;
  /** Requests of a round of `pinned_vs_unpinned`. */
  readonly manyProcesses: number;
  readonly manyTenants: TenantsSize;
  readonly neighbour: NeighbourSize;
  readonly generation: GenerationSize;
  readonly transfers: TransferSize;
  /** Orders that the sweep closes. */
  readonly closedOrders: number;
  /** Null where filling a table would take longer than all the rest. */
  readonly stored: StoredSize | null;
}

const FORMS = {
  smoke: {
    pairs: 1,
    roundMs: 100,
    figureMsMax: 1000,
    warmUp: 40,
    roundMax: 60,
    scarceCodes: 4,
    racers: 40,
    refusedEach: 10,
    withTwoProcesses: false,
    manyProcesses: 40,
    manyTenants: { tenants: 4, redemptions: 40 },
    neighbour: { orders: 600, codes: 300, redemptions: 10 },
    generation: { codes: 12_000, touched: 50, untilIdle: false },
    transfers: { rounds: 1, transfers: 40, users: 20 },
    closedOrders: 40,
    stored: null,
  },
  quick: {
    pairs: 5,
    roundMs: 1200,
    figureMsMax: 15_000,
    warmUp: 3000,
    roundMax: 12_000,
    scarceCodes: 60,
    racers: 1000,
    refusedEach: 300,
    withTwoProcesses: false,
    manyProcesses: 400,
    manyTenants: { tenants: 64, redemptions: 2560 },
    neighbour: { orders: 11_000, codes: 40_000, redemptions: 200 },
    generation: { codes: 200_000, touched: 1000, untilIdle: true },
    transfers: { rounds: 5, transfers: 2000, users: 200 },
    closedOrders: 2000,
    stored: null,
  },
  long: {
    pairs: 7,
    roundMs: 2400,
    figureMsMax: 42_000,
    warmUp: 8000,
    roundMax: 24_000,
    scarceCodes: 200,
    racers: 1000,
    refusedEach: 300,
    withTwoProcesses: true,
    manyProcesses: 6000,
    manyTenants: { tenants: 64, redemptions: 6400 },
    neighbour: { orders: 11_000, codes: 40_000, redemptions: 1000 },
    generation: { codes: 1_000_000, touched: 1000, untilIdle: true },
    transfers: { rounds: 7, transfers: 4000, users: 200 },
    closedOrders: 5000,
    stored: {
      few: 10_000,
      many: 10_000_000,
      databaseArgs: ['--innodb-buffer-pool-size=6G', '--innodb-log-file-size=2G'],
    },
  },
} as const satisfies Record<string, BenchSize>;

export type BenchForm = keyof typeof FORMS;

export interface BenchOptions {
  readonly form: BenchForm;
  readonly size: BenchSize;
  readonly connections: number;
  /** One JSON object on the last line of stdout, and nothing else there. */
  readonly json: boolean;
  /** Writes a CPU profile of the server for every round. */
  readonly profile: boolean;
  /** Only these figures; empty means all. */
  readonly only: readonly RatioName[];
}

export const USAGE = `npm run bench -- [options]
  --quick            minutes instead of half an hour; without redeem_10m_vs_10k, which stores ten million codes
  --smoke            a few hundred requests: whether it works, not how fast
  --json             one JSON object on the last line of stdout
  --connections <n>  requests under way at once, 64 by default; redeem_vs_empty_256 has 256 in any case
  --only <figure>    only this ratio; may be given more than once
  --profile          writes a CPU profile of the server for every round`;

/** @throws Error with a message for the caller of the command */
export function parseOptions(argv: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      quick: { type: 'boolean', default: false },
      smoke: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
      connections: { type: 'string', default: '64' },
      only: { type: 'string', multiple: true, default: [] },
    },
  });
  if (!/^[1-9][0-9]{0,3}$/.test(values.connections))
    throw new Error('--connections takes a number from 1 to 9999.');
  const form = values.smoke ? 'smoke' : values.quick ? 'quick' : 'long';
  const { json, profile } = values;
  const only = RATIO_NAMES.filter((name) => values.only.includes(name));
  if (only.length < new Set(values.only).size)
    throw new Error(`--only takes one of ${RATIO_NAMES.join(', ')}.`);
  if (only.includes('redeem_10m_vs_10k') && FORMS[form].stored === null)
    throw new Error('--only redeem_10m_vs_10k takes the whole form: leave out --quick and --smoke.');
  return { form, size: FORMS[form], connections: Number(values.connections), json, profile, only };
}
