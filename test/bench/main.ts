import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { countInDatabase } from './database.js';
import { figuresOf, kindFiguresOf } from './figures.js';
import { Intents } from './intents.js';
import { LoadProcess } from './load-process.js';
import { Measurement } from './measure.js';
import { parseOptions, USAGE, type BenchOptions } from './options.js';
import { profileSummary } from './profile.js';
import { reportJson, reportTable, type BenchReport } from './report.js';
import { Supply } from './supply.js';
import { openBenchWorld, type BenchWorld } from './world.js';

const say = (line: string): void => console.error(line);

async function main(options: BenchOptions): Promise<void> {
  const startMs = performance.now();
  const world = await openBenchWorld(say, options.size.stored?.databaseArgs);
  const load = new LoadProcess();
  const closeOnSignal = (): void => {
    load.stop();
    void world.close().finally(() => process.exit(130));
  };
  process.once('SIGINT', closeOnSignal);
  process.once('SIGTERM', closeOnSignal);
  try {
    const report = await measured(world, load, options, startMs);
    console.log(options.json ? reportJson(report) : reportTable(report));
    process.exitCode = report.isSound ? 0 : 1;
  } finally {
    load.stop();
    await world.close();
  }
}

async function measured(
  world: BenchWorld,
  load: LoadProcess,
  options: BenchOptions,
  startMs: number,
): Promise<BenchReport> {
  const { scarceCodes, refusedEach } = options.size;
  const supply = await Supply.open(world, { scarce: scarceCodes, expired: refusedEach });
  const profileDir = options.profile ? mkdtempSync(path.join(tmpdir(), 'redeemkit-profile-')) : null;
  const parts = { world, load, intents: new Intents(supply), options, say, profileDir };
  const measurement = new Measurement(parts, supply);
  const ratios = await measurement.run();
  say('Counting.');
  const { attempts, unexpected, measured: rounds } = measurement.bench;
  const deviations = await countInDatabase(world, attempts, new Set(supply.expiredCodes));
  const figures = figuresOf(ratios, rounds, deviations);
  if (profileDir !== null) say(await profileSummary(profileDir));
  return {
    options,
    figures,
    ratios,
    deviations,
    seconds: Math.round((performance.now() - startMs) / 1000),
    kinds: kindFiguresOf(rounds),
    neighbours: measurement.neighbours,
    unexpected: Object.fromEntries(
      [...Map.groupBy(unexpected, (answer) => answer)].map(([answer, times]) => [answer, times.length]),
    ),
    isSound: unexpected.length === 0 && Object.values(deviations).every((count) => count === 0),
  };
}

try {
  await main(parseOptions(process.argv.slice(2)));
} catch (error) {
  if (error instanceof TypeError || (error instanceof Error && error.message.startsWith('--'))) {
    say(`${error.message}\n${USAGE}`);
  } else {
    console.error(error);
  }
  process.exitCode = 1;
}
