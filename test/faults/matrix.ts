import { createHash } from 'node:crypto';
import type { Cell } from './cell-result.js';
import { KINDS } from './kinds.js';
import { STEPS, type Step } from './steps.js';

/** The most telling cells; few enough for every test run. */
const QUICK: ReadonlySet<string> = new Set([
  'KEY_LOOKUP:SCRIPT_FLUSH',
  'LUA_SENT:REDIS_FULL',
  'LUA_APPLIED:KILL_REDIS',
  'BEFORE_BEGIN:PAUSE_DATABASE',
  'LUA_APPLIED:KILL_API',
  'AFTER_INSERTS:LOCK_WAIT_1205',
  'BEFORE_COMMIT:PAUSE_API',
  'BEFORE_COMMIT:DEADLOCK_1213',
  'BEFORE_COMMIT:STALE_COPY',
  'COMMIT_APPLIED:CUT_DATABASE',
  'COMMIT_APPLIED:KILL_DATABASE',
  'BEFORE_CONFIRM:KILL_API',
  'BEFORE_CONFIRM:REDIS_EMPTIED',
  'BEFORE_CONFIRM:AOF_TAIL_CUT',
  'BEFORE_PUBLISH:KILL_WORKER',
  'BEFORE_REPLY:CUT_REDIS',
  'BEFORE_CONFIRM:PAUSE_REDIS',
  'CLIENT_RETRIES:CLOCK_AHEAD',
  'BEFORE_PUBLISH:CLOCK_BEHIND',
  'BEFORE_COMMIT:TWO_SWEEPERS',
  'BEFORE_COMMIT:JOB_FIVE_TIMES',
  'CHUNK_SENT:KILL_WORKER',
  'CHUNK_APPLIED:KILL_WORKER',
  'PAGE_SENT:KILL_WORKER',
  'PAGE_APPLIED:KILL_WORKER',
]);

/** Every kind at every step where it makes sense; each with its own seed, derived from the given one. */
export function allCells(seed: number): Cell[] {
  return KINDS.flatMap((kind) =>
    STEPS.filter((step) => kind.senseless[step] === undefined).map((step) => ({
      step,
      kind,
      seed: seedOf(seed, step, kind.name),
    })),
  );
}

export const quickCells = (seed: number): Cell[] => allCells(seed).filter((cell) => QUICK.has(nameOf(cell)));

export const nameOf = ({ step, kind }: Cell): string => `${step}:${kind.name}`;

function seedOf(seed: number, step: Step, kind: string): number {
  return createHash('sha256').update(`${seed} ${step} ${kind}`).digest().readUInt32BE(0);
}

/** Cells by name. @throws Error when there is no such cell, or it makes no sense */
export function namedCells(seed: number, names: readonly string[]): Cell[] {
  const cells = new Map(allCells(seed).map((cell) => [nameOf(cell), cell]));
  return names.map((name) => {
    const cell = cells.get(name);
    if (cell !== undefined) return cell;
    const [step = '', kindName = ''] = name.split(':');
    const why = KINDS.find((kind) => kind.name === kindName)?.senseless[step as Step];
    throw new Error(
      why === undefined
        ? `--cell takes STEP:KIND; ${name} is none.`
        : `--cell ${name} makes no sense: ${why}.`,
    );
  });
}
