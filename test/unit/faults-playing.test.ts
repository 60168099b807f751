import { describe, expect, it } from 'vitest';
import type { Cell, CellResult } from '../faults/cell-result.js';
import { namedCells, nameOf } from '../faults/matrix.js';
import { playCells, Stages } from '../faults/playing.js';
import type { Stage } from '../faults/stage.js';

const CELLS = namedCells(1, ['LUA_SENT:KILL_API', 'LUA_APPLIED:KILL_API', 'BEFORE_COMMIT:KILL_API']);

/** A stage without servers and processes. */
class EmptyStage {
  isClosed = false;
  readonly processes = {
    worker2: { name: 'worker2', said: () => '', stop: async (): Promise<void> => undefined },
  };

  async close(): Promise<void> {
    this.isClosed = true;
  }
}

const held = (cell: Cell): CellResult => ({
  cell,
  mark: 'HELD',
  violations: [],
  proofs: [],
  recoveryMs: 1,
  tookMs: 1,
  tenantId: 'T',
  known: {},
  said: {},
});

/** Plays three cells, the second of them in the given way. */
async function played(second: () => Promise<CellResult>) {
  const opened: EmptyStage[] = [];
  const stages = new Stages(async () => {
    const stage = new EmptyStage();
    opened.push(stage);
    return stage as unknown as Stage;
  });
  const told: string[] = [];
  const results = await playCells([stages], CELLS, {
    play: async (_stage, cell) => (cell === CELLS[1] ? second() : held(cell)),
    cellMsMax: 50,
    tell: ({ cell, mark }) => void told.push(`${nameOf(cell)} ${mark}`),
  });
  return { opened, told, results };
}

describe('a cell that comes to no end', () => {
  it.each([
    ['throws', async () => Promise.reject(new Error('no proxy')), 'no proxy'],
    ['hangs', async () => Promise.withResolvers<CellResult>().promise, 'did not end within 50 ms'],
  ])('and %s is marked FAILED, and the others are played on a new stage', async (_name, second, why) => {
    const { opened, told, results } = await played(second);
    expect(told).toEqual([
      'LUA_SENT:KILL_API HELD',
      'LUA_APPLIED:KILL_API FAILED',
      'BEFORE_COMMIT:KILL_API HELD',
    ]);
    expect(results[1]?.proofs.join('\n')).toContain(why);
    expect(opened.map(({ isClosed }) => isClosed)).toEqual([true, false]);
  });
});

it('two stages play two cells at a time, and each cell once', async () => {
  const lanes = [1, 2].map(() => new Stages(async () => new EmptyStage() as unknown as Stage));
  const taken: [Stage, Cell][] = [];
  const bothPlay = Promise.withResolvers<undefined>();
  const counts: number[] = [];
  const results = await playCells(lanes, CELLS, {
    play: async (stage, cell) => {
      taken.push([stage, cell]);
      if (taken.length === 2) bothPlay.resolve(undefined);
      await bothPlay.promise;
      return held(cell);
    },
    tell: (_result, count) => void counts.push(count),
  });
  expect(new Set(taken.map(([, cell]) => cell))).toEqual(new Set(CELLS));
  expect(new Set(taken.map(([stage]) => stage)).size).toBe(2);
  expect([results.length, taken.length, counts]).toEqual([3, 3, [1, 2, 3]]);
});

it('a run that is interrupted plays no further cell, and opens no further stage', async () => {
  const opened: EmptyStage[] = [];
  const stages = new Stages(async () => {
    const stage = new EmptyStage();
    opened.push(stage);
    return stage as unknown as Stage;
  });
  const results = await playCells([stages], CELLS, {
    play: async () => {
      await stages.close();
      throw new Error('the stage is closed');
    },
    tell: () => undefined,
  });
  expect(results).toEqual([]);
  expect(opened).toHaveLength(1);
});
