/** Plays the matrix of faults: what can go wrong, at every step of a redemption. See `docs/operations.md`. */
import 'reflect-metadata';
import { randomInt } from 'node:crypto';
import { playCell, type Cell, type CellResult } from './cell.js';
import { allCells, namedCells, quickCells } from './matrix.js';
import { parseOptions, USAGE, type FaultOptions } from './options.js';
import { cellLine, isBad, matrixText, violationText } from './report.js';
import { Stage } from './stage.js';

const SEED_MAX = 1_000_000;
const say = (line: string): void => console.log(line);

function cellsOf({ cells, isQuick, seed }: FaultOptions): Cell[] {
  if (cells.length > 0) return namedCells(seed, cells);
  return isQuick ? quickCells(seed) : allCells(seed);
}

async function play(stage: Stage, cells: readonly Cell[], seed: number): Promise<CellResult[]> {
  const results: CellResult[] = [];
  for (const [at, cell] of cells.entries()) {
    const result = await playCell(stage, cell);
    results.push(result);
    say(`${String(at + 1).padStart(3)}/${cells.length} ${cellLine(result)}`);
    if (isBad(result)) say(violationText(result, seed));
    if (cells[at + 1]?.kind !== cell.kind) await stage.processes.worker2.stop();
  }
  return results;
}

async function main(options: FaultOptions): Promise<void> {
  const cells = cellsOf(options);
  say(`Seed ${options.seed}, ${cells.length} cells.`);
  const stage = await Stage.open();
  const closeOnSignal = (): void => void stage.close().finally(() => process.exit(130));
  process.once('SIGINT', closeOnSignal);
  process.once('SIGTERM', closeOnSignal);
  try {
    const beganMs = performance.now();
    const results = await play(stage, cells, options.seed);
    const bad = results.filter(isBad);
    say(`\n${matrixText(results)}\n\n${((performance.now() - beganMs) / 1000).toFixed(0)} s`);
    say(`${results.length} cells, ${bad.length} violations`);
    process.exitCode = bad.length === 0 ? 0 : 1;
  } finally {
    await stage.close();
  }
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
