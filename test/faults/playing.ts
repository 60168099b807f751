import { setTimeout as pause } from 'node:timers/promises';
import type { Cell, CellResult } from './cell-result.js';
import { failedCell, playCell } from './cell.js';
import type { Stage } from './stage.js';

/** Everything that a cell waits for has an end; a cell without one is a fault of this program. */
const CELL_MS_MAX = 180_000;

/** What {@link playCells} needs of the world; tests give it another one. */
export interface Playing {
  readonly play?: (stage: Stage, cell: Cell) => Promise<CellResult>;
  readonly cellMsMax?: number;
  /** @param count of the results so far, this one among them */
  readonly tell: (result: CellResult, count: number) => void;
}

/** The stage that is played on. A cell that spoils it gets the next one a new one. */
export class Stages {
  private opening: Promise<Stage>;
  private readonly open: () => Promise<Stage>;
  private isClosed = false;

  constructor(open: () => Promise<Stage>) {
    this.open = open;
    this.opening = open();
  }

  get isClosing(): boolean {
    return this.isClosed;
  }

  async stage(): Promise<Stage> {
    return this.opening;
  }

  async renew(): Promise<void> {
    const spoilt = await this.opening;
    await spoilt.close();
    if (!this.isClosed) this.opening = this.open();
  }

  /** Also while one is being opened. */
  async close(): Promise<void> {
    this.isClosed = true;
    const stage = await this.opening.catch(() => null);
    await stage?.close();
  }
}

/**
 * Plays each cell once: one after the other on each of the lanes' stages. A cell that throws, or has no end, is marked
 * FAILED; the others are played all the same.
 */
export async function playCells(
  lanes: readonly Stages[],
  cells: readonly Cell[],
  { play = playCell, cellMsMax = CELL_MS_MAX, tell }: Playing,
): Promise<CellResult[]> {
  const results: CellResult[] = [];
  const waiting = [...cells];
  const playNext = async (stages: Stages, stage: Stage, cell: Cell): Promise<void> => {
    const { result, isSpoilt } = await playOne(stage, cell, async () => inTime(play(stage, cell), cellMsMax));
    // After Ctrl-C the cell under way has no result, and needs no message.
    if (stages.isClosing) return;
    // Hundreds of cells would fill the memory with what their processes said.
    results.push({ ...result, known: {}, said: {} });
    tell(result, results.length);
    if (isSpoilt) await stages.renew();
  };
  await Promise.all(lanes.map(async (stages) => playWaiting(stages, waiting, playNext)));
  return results;
}

async function playWaiting(
  stages: Stages,
  waiting: Cell[],
  playNext: (stages: Stages, stage: Stage, cell: Cell) => Promise<void>,
): Promise<void> {
  let kind: Cell['kind'] | null = null;
  for (;;) {
    // Opened before a cell is taken, which another lane may play meanwhile.
    const stage = await stages.stage();
    const cell = stages.isClosing ? undefined : waiting.shift();
    if (cell === undefined) return;
    if (kind !== null && kind !== cell.kind) await stage.processes.worker2.stop();
    ({ kind } = cell);
    await playNext(stages, stage, cell);
  }
}

async function playOne(
  stage: Stage,
  cell: Cell,
  play: () => Promise<CellResult>,
): Promise<{ result: CellResult; isSpoilt: boolean }> {
  try {
    return { result: await play(), isSpoilt: false };
  } catch (error) {
    const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { result: failedCell(stage, cell, why), isSpoilt: true };
  }
}

async function inTime(played: Promise<CellResult>, withinMs: number): Promise<CellResult> {
  const result = await Promise.race([played, pause(withinMs, null, { ref: false })]);
  if (result === null) throw new Error(`It did not end within ${withinMs} ms.`);
  return result;
}
