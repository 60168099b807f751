import { FloodProcess } from './flood-process.js';
import type { LoadProcess } from './load-process.js';
import { floodsOf, type NoisySize } from './noisy-tenant.js';
import { PRODUCT, QUIET_TENANT, Supply } from './supply.js';
import { percentile, rounded } from './statistics.js';
import type { BenchWorld } from './world.js';

/** Clients of the quiet tenant: few, each waiting for its answer. */
const CONNECTIONS = 2;
const NOISY_TENANT = 'NOISY';

export interface NeighbourSize extends NoisySize {
  /** Redemptions of the quiet tenant beside each flood, and as many alone before it. */
  readonly redemptions: number;
}

/** The quiet tenant beside one flood. */
export interface NeighbourFigure {
  readonly flood: string;
  readonly aloneP50Ms: number;
  readonly aloneP99Ms: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly ratio: number;
  /** What the flood was answered, by status. */
  readonly answers: Readonly<Record<string, number>>;
  /** Redemptions of the quiet tenant that were not committed: beside a flood too there must be none. */
  readonly failures: number;
}

interface Parts {
  readonly world: BenchWorld;
  readonly load: LoadProcess;
  readonly say: (line: string) => void;
}

/** p99 of a quiet tenant's redemptions beside each flood of another tenant ÷ alone, just before it. */
export async function measureNeighbour(
  { world, load, say }: Parts,
  size: NeighbourSize,
): Promise<readonly NeighbourFigure[]> {
  const server = await world.startServer({ INTROSPECTION: 'true' });
  const quiet = await Supply.open(world, { scarce: 1, expired: 1 }, QUIET_TENANT);
  const noisy = await Supply.open(world, { scarce: 1, expired: 1 }, NOISY_TENANT);
  const floods = await floodsOf(world, noisy, server.address, size);
  await quiet.stock(size.redemptions * (2 * floods.length + 2), size.redemptions * (2 * floods.length + 2));
  const redeem = async (): Promise<QuietResult> => quietly(load, quiet, server.address, size.redemptions);
  const flooding = new FloodProcess();
  const found: NeighbourFigure[] = [];
  try {
    await redeem();
    await redeem();
    for (const { name, job } of floods) {
      const alone = await redeem();
      const { result: beside, flood } = await flooding.during(job, redeem);
      assertTaken(name, flood.statuses);
      const figure = figureOf(name, alone.latenciesMs, beside, flood.statuses);
      found.push(figure);
      say(
        `  ${name}: p99 ${figure.p99Ms} ms ÷ alone ${figure.aloneP99Ms} ms = ${figure.ratio}, p50 ${figure.p50Ms} ÷ ${figure.aloneP50Ms}; the flood got ${JSON.stringify(flood.statuses)}`,
      );
    }
  } finally {
    flooding.stop();
  }
  await server.stop();
  return found;
}

interface QuietResult {
  readonly latenciesMs: Float64Array;
  /** Redemptions that were not committed, by their answers. */
  readonly failures: readonly string[];
}

async function quietly(load: LoadProcess, supply: Supply, url: string, count: number): Promise<QuietResult> {
  const users = await supply.takeUsers(count);
  const codes = await supply.takeCodes(count);
  const requests = users.map(({ token, ip }, at) => ({
    token,
    code: codes[at] ?? '',
    idempotencyKey: null,
    ip,
  }));
  const { answers, latenciesMs } = await load.run({
    urls: [url],
    connections: CONNECTIONS,
    mutation: 'redeemCode',
    productCode: PRODUCT,
    requests,
    envelope: null,
  });
  const failed = answers.filter(({ status }) => status !== 'COMMITTED');
  return { latenciesMs, failures: failed.map(({ status, why }) => why ?? status) };
}

/** A flood of requests that are refused unread is none. */
function assertTaken(flood: string, statuses: Readonly<Record<string, number>>): void {
  if ('400' in statuses) throw new Error(`The server takes no request of the flood ${flood} (400).`);
}

function figureOf(
  flood: string,
  alone: Float64Array,
  { latenciesMs: beside, failures }: QuietResult,
  answers: Readonly<Record<string, number>>,
): NeighbourFigure {
  const ms = (values: Float64Array, share: number): number => rounded(percentile(values, share), 1);
  return {
    flood,
    aloneP50Ms: ms(alone, 0.5),
    aloneP99Ms: ms(alone, 0.99),
    p50Ms: ms(beside, 0.5),
    p99Ms: ms(beside, 0.99),
    ratio: rounded(percentile(beside, 0.99) / percentile(alone, 0.99), 2),
    answers,
    failures: failures.length,
  };
}
