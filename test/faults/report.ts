import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { CellResult, Mark } from './cell-result.js';
import type { Kind } from './kind.js';
import { KINDS } from './kinds.js';
import { nameOf } from './matrix.js';
import { MEANINGS, STEPS } from './steps.js';

const SIGNS: Readonly<Record<Mark, string>> = { HELD: '+', VIOLATED: 'X', NOT_REACHED: '?', FAILED: '!' };
const LOGS = path.resolve(import.meta.dirname, '../../.data/faults');

/** Steps across, kinds down; a dot where a cell was not played, nothing where it makes no sense. */
export function matrixText(results: readonly CellResult[]): string {
  const marks = new Map(results.map(({ cell, mark }) => [nameOf(cell), mark]));
  const width = Math.max(...KINDS.map(({ name }) => name.length));
  const head = STEPS.map((step, at) => `${String(at + 1).padStart(2)} ${step.padEnd(14)} ${MEANINGS[step]}`);
  const rows = KINDS.map((kind) => {
    const signs = STEPS.map((step) => {
      const mark = marks.get(`${step}:${kind.name}`);
      if (mark !== undefined) return SIGNS[mark];
      return kind.senseless[step] === undefined ? '.' : ' ';
    });
    const slowest = slowestRecoveryMs(results, kind.name);
    return `${kind.name.padEnd(width)}  ${signs.map((sign) => sign.padStart(2)).join(' ')}  ${slowest}`;
  });
  const numbers = STEPS.map((_, at) => String(at + 1).padStart(2)).join(' ');
  return [
    ...head,
    '',
    `${' '.repeat(width)}  ${numbers}  slowest recovery`,
    ...rows,
    '',
    '+ held   X violated   ? step not reached   ! fault did not happen   . not played   blank: makes no sense:',
    ...KINDS.flatMap(reasonsOf),
  ].join('\n');
}

/** Why a kind is not tried at some steps. */
function reasonsOf({ name, senseless }: Kind): string[] {
  const byReason = Map.groupBy(
    STEPS.filter((step) => senseless[step] !== undefined),
    (step) => senseless[step],
  );
  return [...byReason].map(([reason, steps]) => `${name} ${steps.join(' ')}: ${reason}`);
}

function slowestRecoveryMs(results: readonly CellResult[], kind: string): string {
  const times = results.flatMap(({ cell, recoveryMs }) =>
    cell.kind.name === kind && recoveryMs !== null ? [recoveryMs] : [],
  );
  return times.length === 0 ? '' : `${Math.round(Math.max(...times))} ms`;
}

export function cellLine({ cell, mark, tookMs, recoveryMs, proofs }: CellResult): string {
  const recovery = recoveryMs === null ? 'no recovery' : `recovered in ${Math.round(recoveryMs)} ms`;
  const took = `${(tookMs / 1000).toFixed(1)} s`;
  return `${mark.padEnd(11)} ${nameOf(cell).padEnd(32)} ${took}, ${recovery}; ${proofs.join('; ')}`;
}

/** What was broken, and all that is needed to look into it. */
export function violationText(result: CellResult, seed: number): string {
  const { cell, violations, tenantId, proofs } = result;
  return [
    `${result.mark} ${nameOf(cell)}, seed ${seed}, tenant ${tenantId}`,
    ...proofs.map((proof) => `  ${proof}`),
    ...violations.map(({ invariant, what }) => `  ${invariant}: ${what}`),
    `  replay: npm run test:faults -- --seed ${seed} --cell ${nameOf(cell)}`,
    `  logs: ${keepLogs(result)}`,
  ].join('\n');
}

function keepLogs({ cell, said, known }: CellResult): string {
  const folder = path.join(LOGS, `${cell.step}-${cell.kind.name}-${cell.seed}`);
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(said)) writeFileSync(path.join(folder, `${name}.log`), text);
  for (const [name, facts] of Object.entries(known))
    writeFileSync(path.join(folder, `${name}.json`), JSON.stringify(facts, null, 1));
  return folder;
}

/** How many cells were bad, for whatever reason. */
export function isBad({ mark }: CellResult): boolean {
  return mark !== 'HELD';
}
