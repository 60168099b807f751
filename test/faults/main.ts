/** Plays the matrix of faults: what can go wrong, at every step of a redemption. See `docs/operations.md`. */
import 'reflect-metadata';
import { randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { playCell, type Cell, type CellResult } from './cell.js';
import { allCells, namedCells, nameOf, quickCells } from './matrix.js';
import { runPlanted } from './planted/run.js';
import { parseOptions, USAGE, type FaultOptions } from './options.js';
import { cellLine, isBad, matrixText, violationText } from './report.js';
import { Stage } from './stage.js';

const SEED_MAX = 1_000_000;
const CELL_MS_MAX = 180_000;
const INTERRUPTED = 130;
const say = (line: string): void => console.log(line);

function cellsOf({ cells, isQuick, seed }: FaultOptions): Cell[] {
  if (cells.length > 0) return namedCells(seed, cells);
  return isQuick ? quickCells(seed) : allCells(seed);
}

/** Everything that a cell waits for has an end; a cell without one is a fault of this program. */
async function inTime(played: Promise<CellResult>, name: string): Promise<CellResult> {
  const result = await Promise.race([played, pause(CELL_MS_MAX, null, { ref: false })]);
  if (result === null) throw new Error(`${name} did not end within ${CELL_MS_MAX} ms.`);
  return result;
}

async function play(stage: Stage, cells: readonly Cell[], seed: number): Promise<CellResult[]> {
  const results: CellResult[] = [];
  for (const [at, cell] of cells.entries()) {
    const result = await inTime(playCell(stage, cell), nameOf(cell));
    results.push(result);
    say(`${String(at + 1).padStart(3)}/${cells.length} ${cellLine(result)}`);
    if (isBad(result)) say(violationText(result, seed));
    if (cells[at + 1]?.kind !== cell.kind) await stage.processes.worker2.stop();
  }
  return results;
}

/** Also while it is being opened; a further signal changes nothing. */
function closeOnSignal(opening: Promise<Stage>): void {
  let isClosing = false;
  const close = (): void => {
    if (isClosing) return;
    isClosing = true;
    say('Closing.');
    process.exitCode = INTERRUPTED;
    void opening.then(async (stage) => stage.close()).finally(() => process.exit());
  };
  process.on('SIGINT', close);
  process.on('SIGTERM', close);
}

async function main(options: FaultOptions): Promise<void> {
  if (options.isPlanted) {
    process.exitCode = (await runPlanted(options.seed, options.bugs, say)) ? 0 : 1;
    return;
  }
  const cells = cellsOf(options);
  say(`Seed ${options.seed}, ${cells.length} cells.`);
  const opening = Stage.open();
  closeOnSignal(opening);
  const stage = await opening;
  try {
    await report(stage, cells, options.seed);
  } catch (error) {
    // Whoever pressed Ctrl-C knows that the cell under way comes to nothing.
    if (!stage.isClosing) throw error;
  } finally {
    await stage.close();
  }
}

async function report(stage: Stage, cells: readonly Cell[], seed: number): Promise<void> {
  const beganMs = performance.now();
  const results = await play(stage, cells, seed);
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
// A connection to a server that was killed may never end by itself.
process.exit();
