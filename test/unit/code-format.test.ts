import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalize } from '../../src/codes/canonical-code.js';
import { DEFAULT_ALPHABET, formatOf, type CodeShape } from '../../src/codes/code-format.js';
import { CodeGenerator } from '../../src/codes/code-generator.js';
import { matchesAnyFormat } from '../../src/codes/code-matcher.js';
import { overlap } from '../../src/codes/format-overlap.js';
import { assertSpace, spaceOf } from '../../src/codes/code-space.js';
import { DomainError } from '../../src/platform/errors.js';

const shapeOf = (shape: Partial<CodeShape>): CodeShape => ({
  codeType: 'ALPHANUM',
  length: 16,
  prefix: '',
  pattern: null,
  alphabet: null,
  excludeChars: [],
  ...shape,
});

const codesOf = (shape: Partial<CodeShape>, count = 200): string[] =>
  new CodeGenerator(formatOf(shapeOf(shape))).distinct(count).map((code) => code.text);

function refusalOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof DomainError) return String(error.code);
    throw error;
  }
  throw new Error('It was not refused.');
}

describe('S4.3 codes honour type, length, prefix and exclusions', () => {
  const cases: [string, Partial<CodeShape>, RegExp][] = [
    ['RANDOM_NUM', { codeType: 'RANDOM_NUM', length: 12 }, /^[0-9]{12}$/],
    [
      'RANDOM_NUM without 0 and 4',
      { codeType: 'RANDOM_NUM', length: 10, excludeChars: ['0', '4'] },
      /^[1235-9]{10}$/,
    ],
    ['ALPHANUM', {}, /^[A-HJ-NP-Z2-9]{16}$/],
    ['ALPHANUM with a prefix', { length: 10, prefix: 'VIP-' }, /^VIP-[A-HJ-NP-Z2-9]{10}$/],
    ['ALPHANUM without b in either case', { length: 20, excludeChars: ['b'] }, /^[ACD-HJ-NP-Z2-9]{20}$/],
    ['ALPHANUM of a given alphabet', { length: 30, alphabet: 'AO5' }, /^[AO5]{30}$/],
    ['UUID', { codeType: 'UUID' }, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/],
    [
      'UUID without 9 and b',
      { codeType: 'UUID', excludeChars: ['9', 'B'] },
      /^[0-8ac-f]{8}-[0-8ac-f]{4}-4[0-8ac-f]{3}-[8a][0-8ac-f]{3}-[0-8ac-f]{12}$/,
    ],
    [
      'PATTERN',
      { codeType: 'PATTERN', pattern: 'SUMMER-####-####' },
      /^SUMMER-[A-HJ-NP-Z2-9]{4}-[A-HJ-NP-Z2-9]{4}$/,
    ],
    [
      'PATTERN with a prefix',
      { codeType: 'PATTERN', prefix: '2026-', pattern: '##X##-###' },
      /^2026-.{2}X.{2}-.{3}$/,
    ],
  ];

  it.each(cases)('%s', (_name, shape, expected) => {
    const codes = codesOf(shape);
    expect(new Set(codes).size).toBe(200);
    for (const code of codes) expect(code).toMatch(expected);
  });

  it('takes the longest of each: 32 characters that count, 40 with hyphens', () => {
    expect(codesOf({ length: 32 }, 1)[0]).toHaveLength(32);
    expect(codesOf({ length: 27, prefix: 'A-B-C-D-E-' }, 1)[0]).toHaveLength(37);
    expect(refusalOf(() => formatOf(shapeOf({ length: 32, prefix: 'A' })))).toBe('CODE_TOO_LONG');
    expect(refusalOf(() => formatOf(shapeOf({ length: 30, prefix: '-----------' })))).toBe('CODE_TOO_LONG');
  });

  it('every code of any possible rule fits its own format, however it is typed', () => {
    const shapes = fc.record({
      codeType: fc.constantFrom('RANDOM_NUM' as const, 'ALPHANUM' as const, 'PATTERN' as const),
      length: fc.integer({ min: 8, max: 20 }),
      prefix: fc.stringMatching(/^[0-9A-Za-z-]{0,8}$/),
      pattern: fc.stringMatching(/^[0-9A-Za-z#-]{0,4}####[0-9A-Za-z#-]{0,6}$/),
      excludeChars: fc.subarray([...DEFAULT_ALPHABET], { maxLength: 20 }),
      checkCharacter: fc.constantFrom(true as const, undefined),
    });
    fc.assert(
      fc.property(shapes, (shape) => {
        const format = formatOf(shapeOf(shape));
        const { text, canonical } = new CodeGenerator(format).next();
        expect(text.length).toBe(format.template.length);
        expect(canonicalize(text.toLowerCase().replaceAll('-', ' '))).toBe(canonical);
        expect(matchesAnyFormat(canonical, [format])).toBe(true);
        for (const excluded of shape.excludeChars) {
          const random = [...text].filter((_, index) => format.template.charAt(index) === '#');
          expect(random).not.toContain(excluded);
        }
      }),
    );
  });
});

describe('S4.4 rules that make no codes, or codes that can be guessed, are refused', () => {
  const cases: [string, Partial<CodeShape>, string][] = [
    [
      'an alphabet of which nothing is left',
      { codeType: 'RANDOM_NUM', excludeChars: [...'0123456789'] },
      'CODE_ALPHABET_EMPTY',
    ],
    ['an alphabet without characters', { alphabet: '' }, 'CODE_ALPHABET_EMPTY'],
    ['a UUID without its version', { codeType: 'UUID', excludeChars: ['4'] }, 'CODE_ALPHABET_EMPTY'],
    [
      'a UUID without its variants',
      { codeType: 'UUID', excludeChars: ['8', '9', 'a', 'B'] },
      'CODE_ALPHABET_EMPTY',
    ],
    ['an alphabet with O and 0', { alphabet: 'O0ABCDEF' }, 'CODE_ALPHABET_AMBIGUOUS'],
    ['an alphabet with I and 1', { alphabet: 'I1ABCDEF' }, 'CODE_ALPHABET_AMBIGUOUS'],
    ['an alphabet with I and L', { alphabet: 'ILABCDEF' }, 'CODE_ALPHABET_AMBIGUOUS'],
    ['an alphabet with a character twice', { alphabet: 'ABCA' }, 'CODE_ALPHABET_AMBIGUOUS'],
    ['an alphabet with small letters', { alphabet: 'ABCDabcd' }, 'CODE_CHARACTERS_NOT_ALLOWED'],
    ['an alphabet with letters of another script', { alphabet: 'ABCДЖ' }, 'CODE_CHARACTERS_NOT_ALLOWED'],
    ['an alphabet with a control character', { alphabet: 'ABC\u0000' }, 'CODE_CHARACTERS_NOT_ALLOWED'],
    ['an exclusion of two characters', { excludeChars: ['AB'] }, 'CODE_CHARACTERS_NOT_ALLOWED'],
    ['an exclusion of none', { excludeChars: [''] }, 'CODE_CHARACTERS_NOT_ALLOWED'],
    ['a prefix of another script', { prefix: '码' }, 'CODE_CHARACTERS_NOT_ALLOWED'],
    ['a prefix with a mark of patterns', { prefix: 'A#' }, 'CODE_CHARACTERS_NOT_ALLOWED'],
    ['a prefix with the mark of variants', { prefix: 'A@' }, 'CODE_CHARACTERS_NOT_ALLOWED'],
    ['a prefix with a space', { prefix: 'A B' }, 'CODE_CHARACTERS_NOT_ALLOWED'],
    [
      'a pattern with a line feed',
      { codeType: 'PATTERN', pattern: 'A####\n' },
      'CODE_CHARACTERS_NOT_ALLOWED',
    ],
    [
      'a pattern without a random place',
      { codeType: 'PATTERN', pattern: 'SUMMER' },
      'CODE_PATTERN_WITHOUT_RANDOM',
    ],
    ['no pattern', { codeType: 'PATTERN' }, 'CODE_PATTERN_WITHOUT_RANDOM'],
    ['three characters', { length: 3 }, 'CODE_TOO_SHORT'],
    ['three characters and hyphens', { codeType: 'PATTERN', pattern: '#-#-#' }, 'CODE_TOO_SHORT'],
    ['33 characters', { length: 33 }, 'CODE_TOO_LONG'],
    [
      'X.4 a UUID with a check character',
      { codeType: 'UUID', checkCharacter: true },
      'CODE_CHECK_CHARACTER_NOT_POSSIBLE',
    ],
    ['a UUID with a prefix', { codeType: 'UUID', prefix: 'A' }, 'CODE_TOO_LONG'],
  ];

  it.each(cases)('%s', (_name, shape, code) => {
    expect(refusalOf(() => formatOf(shapeOf(shape)))).toBe(code);
  });

  it('counts the codes that a format has', () => {
    expect(spaceOf(formatOf(shapeOf({ codeType: 'RANDOM_NUM', length: 8 })))).toBe(10n ** 8n);
    expect(spaceOf(formatOf(shapeOf({})))).toBe(32n ** 16n);
    expect(spaceOf(formatOf(shapeOf({ codeType: 'UUID' })))).toBe(2n ** 122n);
    expect(spaceOf(formatOf(shapeOf({ codeType: 'PATTERN', pattern: 'SUMMER-##-##' })))).toBe(32n ** 4n);
  });

  it('wants a million codes for each one issued, or as many as are configured', () => {
    const nine = formatOf(shapeOf({ codeType: 'RANDOM_NUM', length: 9 }));
    const five = formatOf(shapeOf({ codeType: 'RANDOM_NUM', length: 5 }));
    expect(() => assertSpace({ format: nine, live: 1000 }, 1_000_000)).not.toThrow();
    expect(refusalOf(() => assertSpace({ format: nine, live: 1001 }, 1_000_000))).toBe(
      'CODE_SPACE_TOO_SMALL',
    );
    expect(() => assertSpace({ format: nine, live: 1_000_000 }, 1000)).not.toThrow();
    expect(refusalOf(() => assertSpace({ format: five, live: 1 }, 1_000_000))).toBe('CODE_SPACE_TOO_SMALL');
    expect(() => assertSpace({ format: formatOf(shapeOf({})), live: 2 ** 53 }, 1_000_000)).not.toThrow();
  });

  it('X.18 adds up the chances of all formats that one guess can hit, and names the numbers', () => {
    const nine = formatOf(shapeOf({ codeType: 'RANDOM_NUM', length: 9 }));
    const prefixed = formatOf(shapeOf({ codeType: 'RANDOM_NUM', length: 8, prefix: '7' }));
    const others = [{ format: nine, live: 500 }];
    expect(() => assertSpace({ format: prefixed, live: 50 }, 1_000_000, others)).not.toThrow();
    expect(() => assertSpace({ format: prefixed, live: 51 }, 1_000_000, others)).toThrow(
      /allows 100000000 different codes.*51 more.*one guess in 990099 .*has 500 .*one guess in 1000000 may\. 50 more codes/,
    );
  });

  it('X.4 counts the codes that have a check character, not the texts', () => {
    const checked = {
      codeType: 'RANDOM_NUM' as const,
      length: 3,
      prefix: 'A',
      checkCharacter: true as const,
    };
    expect(spaceOf(formatOf(shapeOf(checked)))).toBe(1000n);
    const nineSymbols = formatOf(shapeOf({ ...checked, excludeChars: ['4'] }));
    const random = new CodeGenerator(nineSymbols);
    const all = random.distinct(Number(spaceOf(nineSymbols)));
    expect(all.every(({ text }) => !text.includes('4'))).toBe(true);
    expect(all.length).toBeLessThan(729);
  });

  it('X.18 knows which formats one guess can hit', () => {
    const of = (shape: Partial<CodeShape>) => formatOf(shapeOf(shape));
    const digits = of({ codeType: 'RANDOM_NUM', length: 8 });
    expect(overlap(digits, of({ codeType: 'RANDOM_NUM', length: 5, prefix: '1-2-3' }))).toBe(true);
    expect(overlap(digits, of({ length: 8 }))).toBe(true);
    // An L is read as 1.
    expect(overlap(digits, of({ length: 7, prefix: 'L' }))).toBe(true);
    expect(overlap(digits, of({ codeType: 'RANDOM_NUM', length: 7, checkCharacter: true }))).toBe(true);
    expect(overlap(digits, of({ codeType: 'RANDOM_NUM', length: 9 }))).toBe(false);
    expect(overlap(digits, of({ codeType: 'RANDOM_NUM', length: 7, prefix: 'A' }))).toBe(false);
    expect(overlap(of({ length: 8, alphabet: 'ABCDEF' }), of({ length: 8, alphabet: 'GHJK' }))).toBe(false);
  });
});

describe('a format is known by its canonical form', () => {
  it('takes what folds to the same, and nothing of another length or alphabet', () => {
    const format = formatOf(shapeOf({ codeType: 'PATTERN', pattern: 'OIL-####' }));
    const fits = (text: string): boolean => matchesAnyFormat(canonicalize(text) ?? '', [format]);
    expect(fits('oil-abcd')).toBe(true);
    expect(fits('011 LLLL')).toBe(true);
    expect(fits('OIL-ABC')).toBe(false);
    expect(fits('OIL-ABCDE')).toBe(false);
    expect(fits('OIL-ABC0')).toBe(false);
    expect(fits('XIL-ABCD')).toBe(false);
    expect(matchesAnyFormat('011ABCD', [])).toBe(false);
  });
});
