import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { namedCells } from '../faults/matrix.js';
import { parseOptions } from '../faults/options.js';
import { edited } from '../faults/planted/mutant.js';
import { PLANTED_BUGS } from '../faults/planted/planted-bugs.js';
import { RACES } from '../faults/planted/races.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
const edits = PLANTED_BUGS.flatMap(({ name, edits: own }) => own.map((edit) => ({ name, ...edit })));

describe('planted bugs', () => {
  it('are at least ten, each with its own name', () => {
    expect(PLANTED_BUGS.length).toBeGreaterThanOrEqual(10);
    expect(new Set(PLANTED_BUGS.map(({ name }) => name)).size).toBe(PLANTED_BUGS.length);
  });

  it('are to be caught by cells and races that there are', () => {
    const cells = PLANTED_BUGS.flatMap((bug) => bug.cells).filter((cell) => !(cell in RACES));
    expect(() => namedCells(1, cells)).not.toThrow();
  });

  it('are planted when asked for, all of them or by name', () => {
    expect(parseOptions(['--planted'], 1)).toMatchObject({ isPlanted: true, bugs: [] });
    expect(parseOptions(['--bug', 'a', '--bug', 'b'], 1)).toMatchObject({
      isPlanted: true,
      bugs: ['a', 'b'],
    });
  });

  it.each(edits)('$name: the source still has its place, once, in $file', (edit) => {
    const text = readFileSync(path.join(ROOT, edit.file), 'utf8');
    expect(edited(text, edit)).not.toBe(text);
  });

  it.each([
    ['is not there', 'other'],
    ['is there twice', 'twice and twice'],
  ])('cannot be planted where the text %s', (_name, text) => {
    const edit = { file: 'src/a.ts', find: 'twice', replace: 'once' };
    expect(() => edited(text, edit)).toThrow('src/a.ts');
  });
});
