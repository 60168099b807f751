import type { BenchParts } from './bench.js';
import { readCounters } from './database.js';
import type { LoadJob } from './load-job.js';
import { LoadProcess } from './load-process.js';
import type { ServerProcess } from './server-process.js';
import { median, rounded } from './statistics.js';
import { PRODUCT, Supply } from './supply.js';

const TENANTS = 4;
const PROCESSES = [1, 2, 4] as const;

/** How requests find a process: each tenant has its own, or any takes any. */
type Routing = 'pinned' | 'unpinned';

interface Form {
  readonly processes: number;
  readonly routing: Routing;
}

interface Measured {
  readonly rps: number;
  readonly transactionsPer1000: number;
}

export interface ProcessFigures {
  /** Throughput of four processes, each tenant pinned to one, over that of four without; turn by turn. */
  readonly pinnedVsUnpinned: readonly number[];
  readonly unexpected: readonly string[];
}

const FORMS: readonly Form[] = [
  { processes: 1, routing: 'pinned' },
  { processes: 2, routing: 'pinned' },
  { processes: 2, routing: 'unpinned' },
  { processes: 4, routing: 'pinned' },
  { processes: 4, routing: 'unpinned' },
];

/** Redemptions of several tenants at once by one, two and four API processes, with and without routing by tenant. */
export async function measureProcesses(parts: BenchParts, requests: number): Promise<ProcessFigures> {
  const { world, options, say } = parts;
  const supplies: Supply[] = [];
  for (let at = 0; at < TENANTS; at += 1)
    supplies.push(await Supply.open(world, { scarce: 1, expired: 1 }, `PART_${at}`));
  const servers: ServerProcess[] = [];
  const worker = await world.startServer({ ROLE: 'worker' });
  for (let at = 0; at < Math.max(...PROCESSES); at += 1)
    servers.push(await world.startServer({ ROLE: 'api' }));
  const loads = supplies.map(() => new LoadProcess());
  const run = new Run(parts, supplies, servers, loads);
  try {
    for (const form of FORMS) await run.measure(form, Math.min(requests, options.size.warmUp));
    const turns: Measured[][] = [];
    for (let turn = 0; turn < options.size.pairs; turn += 1) {
      const measured: Measured[] = [];
      for (const form of FORMS) measured.push(await run.measure(form, requests));
      turns.push(measured);
    }
    for (const [at, { processes, routing }] of FORMS.entries()) {
      const of = (value: (one: Measured) => number): number =>
        median(turns.map((turn) => value(turn[at] as Measured)));
      const rps = rounded(
        of((one) => one.rps),
        0,
      );
      const transactions = rounded(
        of((one) => one.transactionsPer1000),
        1,
      );
      say(`  ${processes} ${routing}: ${rps}/s, ${transactions} transactions for 1,000 redemptions`);
    }
    const pinnedVsUnpinned = turns.map((turn) => (turn.at(-2)?.rps ?? 0) / (turn.at(-1)?.rps ?? 1));
    return { pinnedVsUnpinned, unexpected: run.unexpected };
  } finally {
    for (const load of loads) load.stop();
    for (const server of [...servers, worker]) await server.stop();
  }
}

class Run {
  readonly unexpected: string[] = [];
  private readonly parts: BenchParts;
  private readonly supplies: readonly Supply[];
  private readonly servers: readonly ServerProcess[];
  private readonly loads: readonly LoadProcess[];

  constructor(
    parts: BenchParts,
    supplies: readonly Supply[],
    servers: readonly ServerProcess[],
    loads: readonly LoadProcess[],
  ) {
    this.parts = parts;
    this.supplies = supplies;
    this.servers = servers;
    this.loads = loads;
  }

  async measure({ processes, routing }: Form, requests: number): Promise<Measured> {
    const { world, options } = this.parts;
    const addresses = this.servers.slice(0, processes).map(({ address }) => address);
    const each = Math.ceil(requests / TENANTS);
    const jobs = await Promise.all(
      this.supplies.map(async (supply, at): Promise<LoadJob> => {
        const codes = await supply.takeCodes(each);
        const users = await supply.takeUsers(each);
        return {
          urls: routing === 'pinned' ? [addresses[at % processes] ?? ''] : addresses,
          connections: Math.ceil(options.connections / TENANTS),
          mutation: 'redeemCode',
          productCode: PRODUCT,
          envelope: null,
          requests: users.map((user, index) => ({
            token: user.token,
            code: codes[index] ?? '',
            idempotencyKey: null,
            ip: user.ip,
          })),
        };
      }),
    );
    const before = await readCounters(world);
    const results = await Promise.all(this.loads.map(async (load, at) => load.run(jobs[at] as LoadJob)));
    const after = await readCounters(world);
    const answers = results.flatMap((result) => result.answers);
    for (const { status, why } of answers)
      if (status !== 'COMMITTED') this.unexpected.push(`processes: ${why ?? status}`);
    const elapsedMs = Math.max(...results.map((result) => result.elapsedMs));
    return {
      rps: (answers.length / elapsedMs) * 1000,
      transactionsPer1000: ((after.commits - before.commits) / answers.length) * 1000,
    };
  }
}
