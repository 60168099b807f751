/** Plays the matrix of faults: what can go wrong, at every step of a redemption. See `docs/faults.md`. */
import 'reflect-metadata';
import { randomInt } from 'node:crypto';
import type { Cell } from './cell-result.js';
import { allCells, namedCells, quickCells } from './matrix.js';
import { parseOptions, USAGE, type FaultOptions } from './options.js';
import { runCluster } from './cluster/run.js';
import { runPlanted } from './planted/run.js';
import { playCells, Stages } from './playing.js';
import { cellLine, isBad, matrixText, violationText } from './report.js';
import { Stage } from './stage.js';
import { bundleProgram } from '../support/bundled-program.js';

const SEED_MAX = 1_000_000;
const INTERRUPTED = 130;
const say = (line: string): void => console.log(line);

function cellsOf({ cells, isQuick, seed }: FaultOptions): Cell[] {
  if (cells.length > 0) return namedCells(seed, cells);
  return isQuick ? quickCells(seed) : allCells(seed);
}

const isClosing = (lanes: readonly Stages[]): boolean => lanes.some((stages) => stages.isClosing);

async function closeAll(lanes: readonly Stages[]): Promise<void> {
  await Promise.all(lanes.map(async (stages) => stages.close()));
}

/** Also while a stage is being opened; a further signal changes nothing. */
function closeOnSignal(lanes: readonly Stages[]): void {
  const close = (): void => {
    if (isClosing(lanes)) return;
    say('Closing.');
    process.exitCode = INTERRUPTED;
    void closeAll(lanes).finally(() => process.exit());
  };
  process.on('SIGINT', close);
  process.on('SIGTERM', close);
}

async function main(options: FaultOptions): Promise<void> {
  if (options.isHelp) {
    say(USAGE);
    return;
  }
  if (options.isPlanted) {
    process.exitCode = (await runPlanted(options.seed, options.bugs, say)) ? 0 : 1;
    return;
  }
  if (options.isCluster) {
    process.exitCode = (await runCluster(options.seed, say)) ? 0 : 1;
    return;
  }
  const cells = cellsOf(options);
  say(`Seed ${options.seed}, ${cells.length} cells.`);
  const program = await bundleProgram();
  process.once('exit', program.remove);
  const count = Math.min(options.stages, cells.length);
  const lanes = Array.from({ length: count }, () => new Stages(async () => Stage.open(program)));
  closeOnSignal(lanes);
  try {
    await report(lanes, cells, options.seed);
  } finally {
    await closeAll(lanes);
  }
}

async function report(lanes: readonly Stages[], cells: readonly Cell[], seed: number): Promise<void> {
  const beganMs = performance.now();
  const results = await playCells(lanes, cells, {
    tell: (result, count) => {
      say(`${String(count).padStart(3)}/${cells.length} ${cellLine(result)}`);
      if (isBad(result)) say(violationText(result, seed));
    },
  });
  if (isClosing(lanes)) return;
  const bad = results.filter(isBad);
  say(`\n${matrixText(results)}\n\n${((performance.now() - beganMs) / 1000).toFixed(0)} s`);
  say(`${results.length} cells, ${bad.length} violations`);
  process.exitCode = bad.length === 0 ? 0 : 1;
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
// A connection to a killed server may stay open for ever.
process.exit();
