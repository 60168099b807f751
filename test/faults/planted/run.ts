import { createHash } from 'node:crypto';
import type { Mark } from '../cell-result.js';
import { playCell } from '../cell.js';
import type { Violation } from '../checks/violation.js';
import { namedCells } from '../matrix.js';
import { learnScripts } from '../redis-connection.js';
import { Stage } from '../stage.js';
import { buildMutant } from './mutant.js';
import { PLANTED_BUGS, type PlantedBug } from './planted-bugs.js';
import { playRace, RACES } from './races.js';

/** A cell is a matter of chance here and there: how often it is played before its bug counts as not found. */
const TRIES_MAX = 3;

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

type Say = (line: string) => void;

/**
 * Plants one bug after the other, and sees each of them caught; and that without a bug the same cells find nothing.
 * @returns whether all of that was so
 */
export async function runPlanted(seed: number, names: readonly string[], say: Say): Promise<boolean> {
  const bugs = PLANTED_BUGS.filter(({ name }) => names.length === 0 || names.includes(name));
  const isSound = await passesWithout(bugs, seed, say);
  let caught = 0;
  for (const bug of bugs) {
    const found = await catchBug(bug, seed);
    if (found !== null) caught += 1;
    say(`${found === null ? 'NOT CAUGHT' : 'caught    '} ${bug.name}: ${found ?? bug.cells.join(', ')}`);
  }
  say(`${bugs.length} planted, ${caught} caught`);
  return isSound && caught === bugs.length;
}

/** The unchanged product passes every cell that must find a bug. */
async function passesWithout(bugs: readonly PlantedBug[], seed: number, say: Say): Promise<boolean> {
  const cells = [...new Set(bugs.flatMap((bug) => bug.cells))];
  let isSound = true;
  await onStage({}, async (stage) => {
    for (const cell of cells) {
      const { mark, violations, why } = await play(stage, cell, seedOf(seed, cell, 1));
      say(`${mark === 'HELD' ? 'passed    ' : mark.padEnd(10)} ${cell} without a bug${why}`);
      for (const { invariant, what } of violations) say(`  ${invariant}: ${what}`);
      isSound &&= mark === 'HELD';
    }
  });
  return isSound;
}

/** @returns by which cell and invariant it was caught; null when it was not */
async function catchBug(bug: PlantedBug, seed: number): Promise<string | null> {
  const mutant = await buildMutant(bug);
  learnScripts(mutant.scripts);
  try {
    return await onStage({ entry: mutant.entry }, async (stage) => {
      for (let attempt = 1; attempt <= TRIES_MAX; attempt += 1) {
        for (const cell of bug.cells) {
          const violations = await playIfPossible(stage, cell, seedOf(seed, cell, attempt));
          const first = violations.find((each) => isShown(bug, each));
          if (first !== undefined) return `${cell}, ${first.invariant}: ${first.what}`;
        }
      }
      return null;
    });
  } finally {
    mutant.remove();
  }
}

/** A bug may well keep a cell from coming about; then the next one has to find it. */
async function playIfPossible(stage: Stage, cell: string, seed: number): Promise<readonly Violation[]> {
  try {
    return (await play(stage, cell, seed)).violations;
  } catch {
    await stage.mend();
    return [];
  }
}

function isShown({ shows }: PlantedBug, { invariant, what }: Violation): boolean {
  return invariant === shows.invariant && shows.like.test(what);
}

interface Played {
  readonly mark: Mark;
  readonly violations: readonly Violation[];
  /** Where a fault did not happen as it should. */
  readonly why: string;
}

/** A race brings its meeting about, or throws. A cell passes only if its fault has happened. */
async function play(stage: Stage, cell: string, seed: number): Promise<Played> {
  if (cell in RACES) {
    const violations = await playRace(stage, cell, seed);
    return { mark: violations.length === 0 ? 'HELD' : 'VIOLATED', violations, why: '' };
  }
  const [named] = namedCells(seed, [cell]);
  if (named === undefined) throw new Error(`There is no cell ${cell}.`);
  const { mark, violations, proofs } = await playCell(stage, named);
  const isOff = mark === 'NOT_REACHED' || mark === 'FAILED';
  return { mark, violations, why: isOff ? `: ${proofs.join('; ')}` : '' };
}

async function onStage<T>(settings: { entry?: string }, work: (stage: Stage) => Promise<T>): Promise<T> {
  const stage = await Stage.open(settings);
  const closeOnSignal = (): void => void stage.close().finally(() => process.exit(130));
  for (const signal of SIGNALS) process.once(signal, closeOnSignal);
  try {
    return await work(stage);
  } finally {
    for (const signal of SIGNALS) process.off(signal, closeOnSignal);
    await stage.close();
  }
}

function seedOf(seed: number, cell: string, attempt: number): number {
  return createHash('sha256').update(`${seed} ${cell} ${attempt}`).digest().readUInt32BE(0);
}
