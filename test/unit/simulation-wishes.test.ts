import { describe, expect, it } from 'vitest';
import { drawOf } from '../simulation/draw.js';
import { KINDS, Wishes } from '../simulation/kinds/all.js';
import { Known } from '../simulation/known.js';
import { Model } from '../simulation/model.js';
import { parseOptions } from '../simulation/options.js';
import type { Scene } from '../simulation/scene.js';

const campaign = (id: string) => ({
  id,
  codes: Array.from({ length: 30 }, (_, no) => `${id}-${no}`),
  amounts: [],
});
const SCENE: Scene = {
  tenantId: 'T',
  places: [
    { facilityId: '1', currency: 'USD' },
    { facilityId: '2', currency: 'GEM' },
  ],
  plans: ['1', '2', '3'].map((id) => ({ id, currency: 'USD', inventory: 1 })),
  templateIds: ['1', '2'],
  campaigns: [campaign('1'), campaign('2')],
  users: ['1', '2', '3'],
};
const COUNT = 500;

/** What the operations of a run ask for, before anything is there. */
function wished(seed: number): string[] {
  const [wishes, known, model] = [new Wishes(), new Known(SCENE.users), new Model()];
  return Array.from({ length: COUNT }, (_, no) => {
    const actor = {
      scene: SCENE,
      known,
      model,
      draw: drawOf(seed, no),
      name: `n${no}`,
      progress: no / COUNT,
    };
    const request = wishes.next(actor);
    return request === null ? 'nothing' : `${request.kind.name} ${request.says}`;
  });
}

describe('a seed', () => {
  it('wishes the same again', () => {
    expect(wished(7)).toEqual(wished(7));
    expect(wished(7)).not.toEqual(wished(8));
  });

  it('wishes every kind that needs nothing', () => {
    const kinds = new Set(wished(7).map((line) => line.split(' ')[0]));
    const missing = KINDS.filter(({ name }) => !kinds.has(name)).map(({ name }) => name);
    expect(missing).toEqual(['PAY', 'CALL_BACK', 'CANCEL', 'LET_EXPIRE', 'TIME_OUT', 'REFUND', 'REVERSE']);
  });
});

describe('options of the simulation', () => {
  it('are those of the command line, or presets and the drawn seed', () => {
    expect(parseOptions([], 5)).toEqual({ isHelp: false, operations: 10_000, seed: 5, workers: 3 });
    const given = ['--operations', '100000', '--seed', '7', '--workers', '2'];
    expect(parseOptions(given, 5)).toEqual({ isHelp: false, operations: 100_000, seed: 7, workers: 2 });
  });

  it.each(['0', '-1', '1.5', 'many', '10000001'])('do not take %s operations', (operations) => {
    expect(() => parseOptions([`--operations=${operations}`], 5)).toThrow('--operations takes');
  });
});
