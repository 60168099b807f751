/**
 * A long run at full size: many codes, many redemptions by three API processes and a worker, then every list, search,
 * sweep and the reconciliation over what is stored. Ends with status 1 where a bound is missed.
 *
 *   npm run bench:long -- --codes 10000000 --redemptions 1000000
 */
import { parseArgs } from 'node:util';
import { CODES_PER_BATCH_MAX } from '../../../src/codes/code-generation.service.js';
import { isPeriodic } from '../../../src/platform/scheduling/job.js';
import { drainOutbox } from '../database.js';
import { generate } from '../generation.js';
import { rounded } from '../statistics.js';
import { Supply } from '../supply.js';
import { openBenchWorld, type BenchWorld } from '../world.js';
import { measureLists } from './lists.js';
import { MemoryWatch } from './memory-watch.js';
import { redeemAll } from './redeemers.js';

const TENANT = 'LONG';
const DATABASE_ARGS = ['--innodb-buffer-pool-size=4G'];
const API_PROCESSES = 3;
const SWEEP_MS_MAX = 10_000;
const RECONCILE_MS_MAX = 600_000;

const say = (line: string): void => console.log(line);

const { values } = parseArgs({
  options: {
    codes: { type: 'string', default: '10000000' },
    redemptions: { type: 'string', default: '1000000' },
  },
});
const missed: string[] = [];
const world = await openBenchWorld(say, DATABASE_ARGS);
try {
  await run(world, Number(values.codes), Number(values.redemptions));
} finally {
  await world.close();
}
say(missed.length === 0 ? 'All bounds hold.' : `Missed:\n${missed.join('\n')}`);
process.exitCode = missed.length === 0 ? 0 : 1;

async function run(bench: BenchWorld, codes: number, redemptions: number): Promise<void> {
  const supply = await Supply.open(bench, { scarce: 1, expired: 1 }, TENANT);
  // Its expired code was made so by hand.
  await bench.services.codeTotals.recount(TENANT);
  const servers = [await bench.startServer({ ROLE: 'worker' })];
  for (let no = 0; no < API_PROCESSES; no += 1) servers.push(await bench.startServer({ ROLE: 'api' }));
  const [, ...apis] = servers;
  const fromMs = performance.now();
  for (let stored = 0; stored < codes; stored += CODES_PER_BATCH_MAX)
    await generate(bench, supply, Math.min(CODES_PER_BATCH_MAX, codes - stored));
  say(`${codes} codes were made, ${perSecond(codes, performance.now() - fromMs)}.`);

  const memory = new MemoryWatch(servers);
  const redeemed = await redeemAll(bench, supply, apis, redemptions, async () => memory.look());
  say(`${redemptions} redemptions, ${perSecond(redemptions, redeemed.elapsedMs)}.`);
  await drainOutbox(bench, TENANT);
  missed.push(...redeemed.faults, ...memory.faults(say));

  const address = apis[0]?.address ?? '';
  missed.push(
    ...(await measureLists(bench, { tenantId: TENANT, campaignId: supply.campaignId, address }, say)),
  );
  missed.push(...(await sweeps(bench)));
  for (const server of servers) await server.stop();
  missed.push(...(await reconciled(bench)));
}

/** Every job of a worker once: sweeps, retention, counts. */
async function sweeps({ app }: BenchWorld): Promise<string[]> {
  const late: string[] = [];
  for (const job of app.jobs.filter(isPeriodic)) {
    const fromMs = performance.now();
    await job.run();
    const tookMs = performance.now() - fromMs;
    say(`  job ${job.name}: ${rounded(tookMs, 0)} ms`);
    if (tookMs > SWEEP_MS_MAX) late.push(`job ${job.name}: ${rounded(tookMs, 0)} ms of ${SWEEP_MS_MAX}`);
  }
  return late;
}

async function reconciled({ services }: BenchWorld): Promise<string[]> {
  const { verdict, tookMs, checks } = await services.reconciler.run({ tenantId: null, repair: false });
  say(`Reconciliation: ${verdict} in ${rounded(tookMs / 1000, 1)} s.`);
  const drifts = checks
    .filter(({ count }) => count > 0)
    .map(({ kind, count }) => `reconciliation: ${count} ${kind}`);
  if (tookMs > RECONCILE_MS_MAX) drifts.push(`reconciliation: ${tookMs} ms of ${RECONCILE_MS_MAX}`);
  return drifts;
}

function perSecond(count: number, ms: number): string {
  return `${rounded((count / ms) * 1000, 0)} a second`;
}
