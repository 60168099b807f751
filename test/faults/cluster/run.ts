import { bundleProgram } from '../../support/bundled-program.js';
import { openClusterStage } from './cluster-stage.js';
import { clusterCells, playClusterCell } from './play.js';

/** Plays all faults of a cluster, one after the other. @returns whether everything held */
export async function runCluster(seed: number, say: (line: string) => void): Promise<boolean> {
  const cells = clusterCells(seed);
  say(`Seed ${seed}, ${cells.length} cells on a cluster.`);
  const program = await bundleProgram();
  process.once('exit', program.remove);
  const stage = await openClusterStage(program);
  let violations = 0;
  try {
    for (const [at, cell] of cells.entries()) {
      const result = await playClusterCell(stage, cell);
      violations += result.violations.length;
      const mark = result.violations.length === 0 ? 'HELD' : 'VIOLATED';
      const took = `${(result.tookMs / 1000).toFixed(1)} s`;
      say(`${at + 1}/${cells.length} ${mark} ${cell.kind.name} ${cell.round}, ${took}; ${result.proof}`);
      for (const { invariant, what } of result.violations) say(`  ${invariant}: ${what}`);
    }
  } finally {
    await stage.close();
  }
  say(`${cells.length} cells, ${violations} violations`);
  return violations === 0;
}
