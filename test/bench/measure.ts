import { Bench, ratios, type BenchParts, type MeasuredRound } from './bench.js';
import { measureClosing } from './close-orders.js';
import { measureGeneration } from './generation.js';
import { measureNeighbour, type NeighbourFigure } from './neighbour.js';
import { RATIO_NAMES, type RatioName } from './options.js';
import { measureProcesses } from './processes.js';
import type { ServerProcess } from './server-process.js';
import { measureStored } from './stored.js';
import type { Supply } from './supply.js';
import { measureTenants } from './tenants.js';
import { measureTransfers } from './transfers.js';

/** What three kinds of rounds in turn give at once. */
const RATIOS_OF_THREE = [
  'redeem_vs_raw',
  'empty_vs_raw',
  'redeem_cpu_vs_raw',
  'redeem_vs_empty',
] as const satisfies readonly RatioName[];

/** What one batch of codes gives at once. */
const RATIOS_OF_BATCH = [
  'generate_vs_bulk_load',
  'redis_bytes_per_untouched_code',
  'redis_bytes_per_idle_code',
] as const satisfies readonly RatioName[];
/** Figures without rounds of this run's own tenant. */
const WITHOUT_ROUNDS: ReadonlySet<RatioName> = new Set([
  'neighbour_p99',
  'pinned_vs_unpinned',
  'many_tenants_vs_one',
  'transfers_vs_raw_sql',
  'redeem_10m_vs_10k',
  'close_orders',
  ...RATIOS_OF_BATCH,
]);

/** Processor time of all servers for one request; a raw one asks no store. */
function processorUs({ kind, cpuUs: { server, database, redis } }: MeasuredRound): number {
  return kind === 'raw' ? server : server + database + redis;
}

export type Ratios = ReadonlyMap<RatioName, readonly number[]>;

/** The whole run: each figure from its own rounds, and other servers only while a figure needs them. */
export class Measurement {
  readonly bench: Bench;
  /** What `neighbour_p99` is made of. */
  readonly neighbours: NeighbourFigure[] = [];
  private readonly found = new Map<RatioName, readonly number[]>();
  private readonly parts: BenchParts;
  private readonly supply: Supply;

  constructor(parts: BenchParts, supply: Supply) {
    this.parts = parts;
    this.supply = supply;
    this.bench = new Bench(parts);
  }

  async run(): Promise<Ratios> {
    if (RATIO_NAMES.some((name) => !WITHOUT_ROUNDS.has(name) && this.isWanted(name)))
      await this.compareRounds();
    await this.figure('neighbour_p99', async () => this.besideFloods());
    const { size, only } = this.parts.options;
    if (size.withTwoProcesses || only.includes('pinned_vs_unpinned'))
      await this.figure('pinned_vs_unpinned', async () => {
        const { pinnedVsUnpinned, unexpected } = await measureProcesses(
          this.parts,
          this.parts.options.size.manyProcesses,
        );
        this.bench.unexpected.push(...unexpected);
        return pinnedVsUnpinned;
      });
    await this.figure('many_tenants_vs_one', async () => {
      const { ratios: found, unexpected } = await measureTenants(this.parts, size.manyTenants);
      this.bench.unexpected.push(...unexpected);
      return found;
    });
    await this.largeBatch();
    await this.figure('transfers_vs_raw_sql', async () => {
      const { ratios: found, unexpected } = await measureTransfers(
        this.parts,
        this.parts.options.size.transfers,
      );
      this.bench.unexpected.push(...unexpected);
      return found;
    });
    const { stored, closedOrders } = this.parts.options.size;
    await this.figure('close_orders', async () => {
      const { perSecond, unexpected } = await measureClosing(this.parts, closedOrders);
      this.bench.unexpected.push(...unexpected);
      return [perSecond];
    });
    if (stored !== null)
      await this.figure('redeem_10m_vs_10k', async () => {
        const { ratio, unexpected } = await measureStored(this.parts, stored);
        this.bench.unexpected.push(...unexpected);
        return [ratio];
      });
    return this.found;
  }

  private async largeBatch(): Promise<void> {
    const names = RATIOS_OF_BATCH.filter((name) => this.isWanted(name));
    if (names.length === 0) return;
    this.parts.say(`Measuring ${names.join(', ')}.`);
    const figures = await measureGeneration(this.parts, this.parts.options.size.generation);
    const found = {
      generate_vs_bulk_load: figures.vsBulkLoad,
      redis_bytes_per_untouched_code: figures.bytesPerUntouchedCode,
      redis_bytes_per_idle_code: figures.bytesPerIdleCode,
    };
    for (const name of names) this.found.set(name, [found[name]]);
  }

  private async besideFloods(): Promise<readonly number[]> {
    this.neighbours.push(...(await measureNeighbour(this.parts, this.parts.options.size.neighbour)));
    const failed = this.neighbours.filter(({ failures }) => failures > 0);
    this.bench.unexpected.push(...failed.map(({ flood, failures }) => `${failures} failed beside ${flood}`));
    return this.neighbours.map(({ ratio }) => ratio);
  }

  private async compareRounds(): Promise<void> {
    const { world, say } = this.parts;
    const server = await world.startServer();
    say('Warming up.');
    await this.warmUp(server);
    await this.bench.run('scarce', [server], await this.parts.intents.of('scarce', 0));
    const one = [server];
    await this.besideRaw(server);
    await this.figure('redeem_vs_empty_256', async () =>
      this.bench.compare({ kind: 'empty_256', servers: one }, { kind: 'redeem_256', servers: one }),
    );
    await this.figure('hot_code_vs_distinct', async () =>
      this.bench.compare({ kind: 'redeem', servers: one }, { kind: 'hot_code', servers: one }),
    );
    await this.figure('redeem_four_rewards_vs_redeem', async () => {
      await this.bench.warmUp('redeem_four', one, this.parts.options.size.warmUp);
      return this.bench.compare({ kind: 'redeem', servers: one }, { kind: 'redeem_four', servers: one });
    });
    await this.figure('redeem_conditions_vs_redeem', async () => {
      await this.bench.warmUp('redeem_conditions', one, this.parts.options.size.warmUp);
      return this.bench.compare(
        { kind: 'redeem', servers: one },
        { kind: 'redeem_conditions', servers: one },
      );
    });
    await this.figure('encrypted_vs_plain', async () => {
      await this.bench.warmUp('redeem_sealed', one, this.parts.options.size.warmUp);
      return this.bench.compare({ kind: 'redeem', servers: one }, { kind: 'redeem_sealed', servers: one });
    });
    await this.figure('refusal_vs_empty', async () =>
      this.bench.compare({ kind: 'empty', servers: one }, { kind: 'refusal', servers: one }, false),
    );
    await this.figure('race_loser_vs_refusal', async () =>
      this.bench.compare({ kind: 'refusal', servers: one }, { kind: 'race', servers: one }, false),
    );
    await this.figure('redeem_vs_plain', async () => this.againstPlain(server));
    if (this.parts.options.size.withTwoProcesses) {
      await this.figure('two_processes_vs_one', async () => this.withSecondProcess(server));
    }
    await server.stop();
  }

  private isWanted(name: RatioName): boolean {
    const { only } = this.parts.options;
    return only.length === 0 || only.includes(name);
  }

  private async figure(name: RatioName, measure: () => Promise<readonly number[]>): Promise<void> {
    if (!this.isWanted(name)) return;
    this.parts.say(`Measuring ${name}.`);
    this.found.set(name, await measure());
  }

  private async warmUp(server: ServerProcess): Promise<void> {
    const { warmUp, pairs, withTwoProcesses, refusedEach } = this.parts.options.size;
    await this.supply.stock(warmUp, warmUp);
    const empty = await this.bench.warmUp('empty', [server], warmUp);
    this.bench.calibrate('empty_256', empty.rps);
    const { attempts, rps } = await this.bench.warmUp('redeem', [server], Math.max(warmUp, 2 * refusedEach));
    this.bench.calibrate('redeem_256', rps);
    this.bench.calibrate('hot_code', rps);
    this.bench.calibrate('two_processes', rps);
    this.parts.intents.setRefused(attempts.map(({ code }) => code));
    await this.bench.run('refusal', [server], await this.parts.intents.warmRefusals());
    await this.bench.warmUp('refusal', [server], warmUp);
    const round = this.bench.amount('redeem');
    await this.supply.stock(
      round * pairs * (withTwoProcesses ? 6 : 4),
      round * pairs * (withTwoProcesses ? 7 : 5),
    );
  }

  /** Raw, empty and redeem in turn: each of these figures compares two of the three. */
  private async besideRaw(server: ServerProcess): Promise<void> {
    const names = RATIOS_OF_THREE.filter((name) => this.isWanted(name));
    if (names.length === 0) return;
    this.parts.say(`Measuring ${names.join(', ')}.`);
    const raw = await this.parts.world.startServer({}, 'raw-server.ts');
    await this.bench.warmUp('raw', [raw], this.parts.options.size.warmUp);
    const turns = await this.bench.inTurn([
      { kind: 'raw', servers: [raw] },
      { kind: 'empty', servers: [server] },
      { kind: 'redeem', servers: [server] },
    ]);
    await raw.stop();
    const found = {
      redeem_vs_raw: ratios(turns, 'redeem', 'raw'),
      empty_vs_raw: ratios(turns, 'empty', 'raw'),
      redeem_cpu_vs_raw: ratios(turns, 'redeem', 'raw', processorUs),
      redeem_vs_empty: ratios(turns, 'redeem', 'empty'),
    };
    for (const name of names) this.found.set(name, found[name]);
  }

  private async againstPlain(server: ServerProcess): Promise<readonly number[]> {
    const plain = await this.parts.world.startServer({}, 'plain/server.ts');
    const servers = [plain];
    await this.bench.warmUp('plain', servers, Math.ceil(this.parts.options.size.warmUp / 3));
    const found = await this.bench.compare({ kind: 'plain', servers }, { kind: 'redeem', servers: [server] });
    await plain.stop();
    return found;
  }

  private async withSecondProcess(server: ServerProcess): Promise<readonly number[]> {
    const second = await this.parts.world.startServer({ ROLE: 'api' });
    await this.bench.warmUp('two_processes', [second], this.parts.options.size.warmUp);
    const found = await this.bench.compare(
      { kind: 'redeem', servers: [server] },
      { kind: 'two_processes', servers: [server, second] },
    );
    await second.stop();
    return found;
  }
}
