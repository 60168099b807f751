import { describe, expect, it } from 'vitest';
import { formatOf } from '../../src/codes/code-format.js';
import { guessedFormat, shapesOf } from '../../src/codes/given-format.js';

describe('X.18 formats of codes that came from outside', () => {
  it('are their lengths, as digits only where all of one length are digits', () => {
    const shapes = shapesOf(['1234', '5678', '123456', 'ABC456', 'A0']);
    expect(shapes.map(({ format, count }) => [format.template, format.alphabet.length, count])).toEqual([
      ['####', 10, 2],
      ['######', 33, 2],
      ['##', 33, 1],
    ]);
  });

  it('are guessed by length and characters where the text was chosen', () => {
    const guessed = (template: string) => guessedFormat({ template, alphabet: '' });
    expect(guessed('WELCOME-10')).toMatchObject({ template: '#########' });
    expect(guessed('1234-5678')).toEqual({ template: '########', alphabet: '0123456789' });
    const shape = { codeType: 'RANDOM_NUM', length: 6, prefix: 'A', pattern: null, alphabet: null } as const;
    const random = formatOf({ ...shape, excludeChars: [] });
    expect(guessedFormat(random)).toBe(random);
  });
});
