/** Plays random operations for a long time. See `docs/simulation.md`. */
import 'reflect-metadata';
import { randomInt } from 'node:crypto';
import { migrateUp } from '../../src/migrations/migrate.js';
import { startTestServers } from '../support/test-servers.js';
import { parseOptions, USAGE, type SimulationOptions } from './options.js';
import { simulate, type Simulated } from './simulation.js';
import { openWorkers } from './workers.js';

const SEED_MAX = 1_000_000;
const RESTS = 20;
const REST_EVERY_MIN = 500;
const say = (line: string): void => console.log(line);

async function main(options: SimulationOptions): Promise<void> {
  if (options.isHelp) return say(USAGE);
  const { seed, operations, workers: count } = options;
  say(`Seed ${seed}, ${operations} operations, ${count} workers.`);
  const servers = await startTestServers(process.env);
  const heard: string[] = [];
  const beganMs = performance.now();
  try {
    await migrateUp(servers.databaseUrl);
    const workers = await openWorkers(servers, count, (line) => heard.push(line));
    const restEvery = Math.max(REST_EVERY_MIN, Math.ceil(operations / RESTS));
    const { worlds } = workers;
    const tell = (line: string): void =>
      say(`${((performance.now() - beganMs) / 1000).toFixed(0).padStart(5)} s  ${line}`);
    report(await simulate({ worlds, seed, operations, restEvery, heard, tell }), options);
    await workers.close();
  } finally {
    await servers.stop();
  }
}

function report({ operations, faults, diary }: Simulated, { seed }: SimulationOptions): void {
  say(`\n${diary.summary().join('\n')}\n\n${operations} operations, ${faults.length} faults`);
  if (faults.length === 0) return;
  say(
    `\n${faults.join('\n')}\n\nThe last operations:\n${diary.last.join('\n')}\n\nReplay with --seed ${seed}.`,
  );
  process.exitCode = 1;
}

try {
  await main(parseOptions(process.argv.slice(2), randomInt(SEED_MAX)));
} catch (error) {
  if (error instanceof TypeError || (error instanceof Error && error.message.startsWith('--'))) {
    console.error(`${error.message}\n${USAGE}`);
  } else {
    console.error(error);
  }
  process.exitCode = 1;
}
// A worker keeps connections of its queues.
process.exit();
