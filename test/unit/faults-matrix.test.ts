import { describe, expect, it } from 'vitest';
import { KINDS } from '../faults/kinds.js';
import { allCells, namedCells, nameOf, quickCells } from '../faults/matrix.js';
import { parseOptions } from '../faults/options.js';
import { STEPS } from '../faults/steps.js';

describe('the matrix of faults', () => {
  it('has every kind at every step, except where it says why not', () => {
    const names = new Set(allCells(1).map(nameOf));
    for (const { name, senseless } of KINDS) {
      for (const step of STEPS) expect(names.has(`${step}:${name}`)).toBe(senseless[step] === undefined);
      expect(Object.keys(senseless).length).toBeLessThan(STEPS.length);
    }
  });

  it('gives each cell its own seed, the same for the same run', () => {
    const seeds = allCells(7).map(({ seed }) => seed);
    expect(new Set(seeds).size).toBe(seeds.length);
    expect(allCells(7).map(({ seed }) => seed)).toEqual(seeds);
    expect(allCells(8).map(({ seed }) => seed)).not.toEqual(seeds);
  });

  it('has a selection with every kind and every step that is to be seen in each test run', () => {
    const quick = quickCells(1);
    expect(new Set(quick.map(({ kind }) => kind.name))).toEqual(new Set(KINDS.map(({ name }) => name)));
    expect(new Set(quick.map(({ step }) => step))).toEqual(new Set(STEPS));
  });

  it('replays a cell by its name with the seed of the whole run', () => {
    const name = 'BEFORE_COMMIT:KILL_API';
    expect(namedCells(7, [name])).toEqual(allCells(7).filter((cell) => nameOf(cell) === name));
  });

  it('says why a cell is not there', () => {
    expect(() => namedCells(7, ['LUA_SENT:NOTHING'])).toThrow('LUA_SENT:NOTHING is none');
    expect(() => namedCells(7, ['KEY_LOOKUP:DEADLOCK_1213'])).toThrow('makes no sense: no transaction');
  });
});

describe('the options of the faults', () => {
  it('are listed when asked for', () => {
    expect(parseOptions(['--help'], 42)).toMatchObject({ isHelp: true });
    expect(parseOptions([], 42)).toMatchObject({ isHelp: false });
  });

  it('draw a seed where none is given', () => {
    expect(parseOptions([], 42)).toMatchObject({ isQuick: false, seed: 42, cells: [] });
    const given = parseOptions(['--quick', '--seed', '7', '--cell', 'A:B', '--cell', 'C:D'], 42);
    expect(given).toMatchObject({ isQuick: true, seed: 7, cells: ['A:B', 'C:D'] });
  });

  it('play one cell at a time where their times are compared, and two where an answer is wanted soon', () => {
    expect(parseOptions([], 42).stages).toBe(1);
    expect(parseOptions(['--quick'], 42).stages).toBe(2);
    expect(parseOptions(['--quick', '--stages', '3'], 42).stages).toBe(3);
  });

  it.each([['--stages', '0'], ['--seed', 'x'], ['--seed', '-1'], ['--sede', '1'], ['--seed']])(
    'refuse %s %s',
    (...argv) => {
      expect(() => parseOptions(argv, 42)).toThrow();
    },
  );
});
