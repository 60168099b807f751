import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalize } from '../../src/codes/canonical-code.js';
import { CheckCharacter } from '../../src/codes/check-character.js';
import { DEFAULT_ALPHABET, formatOf } from '../../src/codes/code-format.js';
import { CodeGenerator } from '../../src/codes/code-generator.js';
import { matchesAnyFormat } from '../../src/codes/code-matcher.js';

const ALPHABETS = [
  ['10 digits', '0123456789'],
  ['32 characters without look-alikes', DEFAULT_ALPHABET],
  ['36 letters and digits', '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ'],
  ['9 digits', '012356789'],
  ['30 characters', DEFAULT_ALPHABET.slice(2)],
  ['33 characters', '0123456789ABCDEFGHJKMNPQRSTUVWXYZ'],
] as const;

const replaced = (text: string, place: number, by: string): string =>
  text.slice(0, place) + by + text.slice(place + 1);
const swapped = (text: string, place: number): string =>
  replaced(replaced(text, place, text.charAt(place + 1)), place + 1, text.charAt(place));

/** The text with two neighbours swapped, wherever that makes another one. */
const swapsOf = (text: string): string[] =>
  Array.from(text.slice(1), (_, place) => swapped(text, place)).filter((swap) => swap !== text);

describe.each(ALPHABETS)('X.4 a check character over %s', (_name, alphabet) => {
  const check = new CheckCharacter(alphabet);
  const texts = fc
    .string({ unit: fc.constantFrom(...alphabet), minLength: 1, maxLength: 31 })
    .map((text) => ({ text, last: check.of(text) }))
    .filter(({ last }) => last !== null)
    .map(({ text, last }) => `${text}${last}`);

  const accepted = (variants: readonly string[]): string[] => variants.filter((text) => check.accepts(text));

  it('accepts what it was made for', () => {
    fc.assert(
      fc.property(texts, (code) => {
        expect(check.accepts(code)).toBe(true);
      }),
    );
  });

  it('rejects every typo of a single character', () => {
    const typos = (code: string): string[] =>
      [...code].flatMap((right, place) =>
        [...alphabet].filter((wrong) => wrong !== right).map((wrong) => replaced(code, place, wrong)),
      );
    fc.assert(
      fc.property(texts, (code) => {
        expect(accepted(typos(code))).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  it('rejects every swap of two neighbours, its own place among them', () => {
    fc.assert(
      fc.property(texts, (code) => {
        expect(accepted(swapsOf(code))).toEqual([]);
      }),
      { numRuns: 2000 },
    );
  });

  it('tells any two characters of any state apart, in either order', () => {
    // Each state is reached by a text of one character, so this is every case there is.
    const missed = ['', ...alphabet].flatMap((before) =>
      [...alphabet].flatMap((first) =>
        [...alphabet].flatMap((second) => {
          const last = check.of(`${before}${first}${second}`);
          if (last === null) return [];
          const swaps = [`${before}${second}${first}${last}`, `${before}${first}${last}${second}`];
          return accepted(swaps.filter((swap) => swap !== `${before}${first}${second}${last}`));
        }),
      ),
    );
    expect(missed).toEqual([]);
  });

  it('counts the texts that have one', () => {
    const pairs = [...alphabet].flatMap((one) => [...alphabet].map((other) => one + other));
    expect(check.countOf(2)).toBe(pairs.filter((text) => check.of(text) !== null).length);
  });
});

describe('X.4 generated codes with a check character', () => {
  const shapes = [
    { codeType: 'RANDOM_NUM' as const, length: 12 },
    { codeType: 'ALPHANUM' as const, length: 12, prefix: 'VIP-' },
    { codeType: 'PATTERN' as const, pattern: 'OIL-##X##-####' },
    { codeType: 'RANDOM_NUM' as const, length: 12, excludeChars: ['4', '7'] },
  ].map((shape) => ({
    length: 16,
    prefix: '',
    pattern: null,
    alphabet: null,
    excludeChars: [],
    checkCharacter: true as const,
    ...shape,
  }));

  it.each(shapes)('fit their format, and no typo and no swap of them does: %o', (shape) => {
    const format = formatOf(shape);
    for (const { text, canonical } of new CodeGenerator(format).distinct(100)) {
      expect(matchesAnyFormat(canonicalize(text.toLowerCase()) ?? '', [format])).toBe(true);
      const typos = [...canonical].flatMap((right, place) =>
        [...'0123456789ABCDEFGHJKMNPQRSTUVWXYZ']
          .filter((wrong) => wrong !== right)
          .map((wrong) => replaced(canonical, place, wrong)),
      );
      const missed = [...typos, ...swapsOf(canonical)].filter((each) => matchesAnyFormat(each, [format]));
      expect(missed).toEqual([]);
    }
  });
});
