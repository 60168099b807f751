/** Plays the matrix of faults: what can go wrong, at every step of a redemption. See `docs/faults.md`. */
import 'reflect-metadata';
import { randomInt } from 'node:crypto';
import type { Cell } from './cell-result.js';
import { allCells, namedCells, quickCells } from './matrix.js';
import { parseOptions, USAGE, type FaultOptions } from './options.js';
import { runPlanted } from './planted/run.js';
import { playCells, Stages } from './playing.js';
import { cellLine, isBad, matrixText, violationText } from './report.js';
import { Stage } from './stage.js';

const SEED_MAX = 1_000_000;
const INTERRUPTED = 130;
const say = (line: string): void => console.log(line);

function cellsOf({ cells, isQuick, seed }: FaultOptions): Cell[] {
  if (cells.length > 0) return namedCells(seed, cells);
  return isQuick ? quickCells(seed) : allCells(seed);
}

/** Also while a stage is being opened; a further signal changes nothing. */
function closeOnSignal(stages: Stages): void {
  const close = (): void => {
    if (stages.isClosing) return;
    say('Closing.');
    process.exitCode = INTERRUPTED;
    void stages.close().finally(() => process.exit());
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
  const cells = cellsOf(options);
  say(`Seed ${options.seed}, ${cells.length} cells.`);
  const stages = new Stages(async () => Stage.open());
  closeOnSignal(stages);
  try {
    await report(stages, cells, options.seed);
  } finally {
    await stages.close();
  }
}

async function report(stages: Stages, cells: readonly Cell[], seed: number): Promise<void> {
  const beganMs = performance.now();
  const results = await playCells(stages, cells, {
    tell: (result, at) => {
      say(`${String(at + 1).padStart(3)}/${cells.length} ${cellLine(result)}`);
      if (isBad(result)) say(violationText(result, seed));
    },
  });
  if (stages.isClosing) return;
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
