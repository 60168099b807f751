import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { resultWithin } from '../../../src/platform/scheduling/timeout.js';
import { bundleProgram } from '../../support/bundled-program.js';
import { openClusterStage, type ClusterStage } from './cluster-stage.js';
import { clusterCells, playClusterCell, type ClusterCell } from './play.js';

/** Everything that a cell waits for has an end; a cell without one is a fault of this program. */
const CELL_MS_MAX = 240_000;
const LOGS = path.resolve(import.meta.dirname, '../../../.data/faults');

type Say = (line: string) => void;

/** Plays all faults of a cluster, one after the other. @returns whether everything held, and every fault happened */
export async function runCluster(seed: number, say: Say): Promise<boolean> {
  const cells = clusterCells(seed);
  say(`Seed ${seed}, ${cells.length} cells on a cluster.`);
  const program = await bundleProgram();
  process.once('exit', program.remove);
  let stage = await openClusterStage(program);
  let violations = 0;
  let failures = 0;
  try {
    for (const [at, cell] of cells.entries()) {
      const found = await playOne(stage, cell, (line) => say(`${at + 1}/${cells.length} ${line}`));
      violations += found ?? 0;
      if (found === null) {
        failures += 1;
        await stage.close();
        stage = await openClusterStage(program);
      }
    }
  } finally {
    await stage.close();
  }
  say(`${cells.length} cells, ${violations} violations, ${failures} without proof`);
  return violations === 0 && failures === 0;
}

/** @returns how many violations it has found; null where the cell did not come to its end, and has spoilt the stage */
async function playOne(stage: ClusterStage, cell: ClusterCell, say: Say): Promise<number | null> {
  const name = `${cell.kind.name} ${cell.round}`;
  const beganMs = performance.now();
  const said = (mark: string, what: string): void =>
    say(`${mark.padEnd(8)} ${name}, ${((performance.now() - beganMs) / 1000).toFixed(1)} s; ${what}`);
  try {
    const result = await resultWithin(CELL_MS_MAX, playClusterCell(stage, cell));
    if (result === null) throw new Error(`It did not end within ${CELL_MS_MAX} ms.`);
    const { violations, proof } = result;
    said(violations.length === 0 ? 'HELD' : 'VIOLATED', proof);
    for (const { invariant, what } of violations) say(`  ${invariant}: ${what}`);
    if (violations.length > 0) say(`  logs in ${keepLogs(stage, cell)}`);
    return violations.length;
  } catch (error) {
    said('FAILED', error instanceof Error ? (error.stack ?? error.message) : String(error));
    say(`  logs in ${keepLogs(stage, cell)}`);
    return null;
  }
}

function keepLogs({ processes }: ClusterStage, { kind, round, seed }: ClusterCell): string {
  const dir = path.join(LOGS, `${kind.name}-${round}-${seed}`);
  mkdirSync(dir, { recursive: true });
  for (const each of processes) writeFileSync(path.join(dir, `${each.name}.log`), each.said());
  return dir;
}
