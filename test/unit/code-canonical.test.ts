import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalize, canonicalPart, lastFourOf } from '../../src/codes/canonical-code.js';
import { CodeDigester } from '../../src/codes/code-digester.js';

describe('one canonical form', () => {
  const spellings: [string, string][] = [
    ['small letters', 'abcd-efgh-2345'],
    ['spaces', '  ABCD EFGH 2345 '],
    ['full-width characters', 'ＡＢＣＤ－ＥＦＧＨ　２３４５'],
    ['an en dash, a minus and a soft hyphen', 'ABCD–EF−GH\u00ad2345'],
    ['no-break spaces and characters without a width', 'ABCD\u00a0EFGH\u200b2345\ufeff\u2060'],
    ['a line that was pasted whole', 'ABCDEFGH2345\r\n'],
    ['more blanks than a code has characters', `ABCDEFGH${' '.repeat(200)}2345`],
    ['dots and underscores', 'abcd.efgh_2345'],
    ['a full stop at the end', 'ABCD-EFGH-2345.'],
    ['a full stop of another script', 'ABCD-EFGH-2345。'],
    ['an ellipsis and a middle dot', 'ABCD…EFGH·2345'],
    ['dashes of any kind', 'A‐B‑C‒D–E—F―G⁃H﹣2－3−4ー5'],
    ['blanks of any kind', 'A\tB\u1680C\u2003D\u2007E\u2009F\u202fG\u205fH\u30002\u20283\u00854\n5'],
    ['direction marks', '\u200eABCDEFGH2345\u200f\u202c'],
    ...`'x' "x" “x” ”x” „x“ «x» »x« ‘x’ ’x’ ‚x‘ ‹x› 「x」 『x』 ＂x＂ \`x\` ´x´ ″x″`
      .split(' ')
      .map((quoted): [string, string] => [`the quotes of ${quoted}`, quoted.replace('x', 'ABCD-EFGH-2345')]),
  ];

  it.each(spellings)('ignores %s', (_name, spelling) => {
    expect(canonicalize(spelling)).toBe('ABCDEFGH2345');
  });

  it('folds what looks alike', () => {
    expect(canonicalize('oOiIlL01')).toBe('00111101');
  });

  it.each([
    ['its capital with a dot', 'BİLDİR234'],
    ['its small letter without a dot', 'bıldır234'],
    ['what small letters of its capital are', 'BİLDİR234'.toLowerCase()],
    ['the capital with the dot apart', 'BI\u0307LDI\u0307R234'],
  ])('reads an I as a Turkish keyboard means it: %s', (_name, typed) => {
    expect(canonicalize(typed)).toBe(canonicalize('BILDIR234'));
  });

  const noCodes: [string, string][] = [
    ['nothing', ''],
    ['only separators', ' - – \u200b'],
    ['three characters', 'ABC'],
    ['33 characters', 'A'.repeat(33)],
    ['257 characters, however many of them count', `ABCD${' '.repeat(253)}`],
    ['a control character', 'ABCD\u0000EFGH'],
    ['punctuation that no one puts into codes', 'ABCD/EFGH'],
    ['a comma', 'ABCD,EFGH'],
    ['a wildcard', 'ABCD%'],
    ['another script', 'ДЖЗИ1234'],
    ['letters that only their capital makes Latin', 'straße1234ß'],
    ['a letter with a dot that is none of Turkish', 'ABCDĖ234'],
    ['an emoji', 'ABCD🎁EFGH'],
    ['half of one', 'ABCD\ud83cEFGH'],
  ];

  it.each(noCodes)('answers null for %s', (_name, input) => {
    expect(canonicalize(input)).toBeNull();
  });

  it(
    'is idempotent, and holds only characters of the canonical alphabet, for any text',
    { timeout: 30_000 },
    () => {
      const texts = fc.oneof(
        fc.string({ unit: 'binary', maxLength: 80 }),
        fc.stringMatching(/^[0-9A-Za-zＡ-Ｚ -]{0,40}$/),
      );
      fc.assert(
        fc.property(texts, (text) => {
          const canonical = canonicalize(text);
          if (canonical === null) return;
          expect(canonical).toMatch(/^[02-9A-HJKMNP-Z1]{4,32}$/);
          expect(canonicalize(canonical)).toBe(canonical);
          expect(canonicalize(canonical.toLowerCase().split('').join('-'))).toBe(canonical);
        }),
        { numRuns: 500 },
      );
    },
  );

  it(
    'is the same for any separators between the characters, for every code that can be issued',
    { timeout: 30_000 },
    () => {
      const separators = [...` \t\u00a0\u3000-–—−ー._·。'"“”„«»‘’\`´\u200b\u00ad\ufeff`];
      const codes = fc.stringMatching(/^[0-9A-Za-z]{4,32}$/);
      const between = fc.array(fc.constantFrom(...separators), { maxLength: 6 });
      fc.assert(
        fc.property(codes, fc.array(between, { minLength: 33, maxLength: 33 }), (code, gaps) => {
          const typed = [...code].map((character, index) => `${(gaps[index] ?? []).join('')}${character}`);
          const spelling = [...typed, ...(gaps[32] ?? [])].join('');
          fc.pre(spelling.length <= 256);
          expect(canonicalize(spelling)).toBe(canonicalize(code));
        }),
        { numRuns: 500 },
      );
    },
  );

  it('of letters, digits and hyphens never changes: their digests are stored', { timeout: 30_000 }, () => {
    const issued = fc.stringMatching(/^[0-9A-Za-z-]{1,40}$/);
    const folds: Readonly<Record<string, string>> = { O: '0', I: '1', L: '1' };
    fc.assert(
      fc.property(issued, (text) => {
        const plain = [...text.toUpperCase()].filter((character) => character !== '-');
        fc.pre(plain.length >= 4 && plain.length <= 32);
        expect(canonicalize(text)).toBe(plain.map((character) => folds[character] ?? character).join(''));
      }),
      { numRuns: 500 },
    );
  });

  it('of a part is what it is in the whole', () => {
    expect(canonicalPart(' xy-y6 ')).toBe('XYY6');
    expect(canonicalPart('oil')).toBe('011');
    expect([canonicalPart('%'), canonicalPart('_'), canonicalPart('A'.repeat(33))]).toEqual([
      null,
      null,
      null,
    ]);
  });

  it('is not what the last four are shown in: those are its own characters', () => {
    expect(lastFourOf('ABCD-EFOI')).toBe('EFOI');
    expect(lastFourOf('OIL-O-L')).toBe('ILOL');
    expect(lastFourOf('0b3c-9f0l')).toBe('9f0l');
  });
});

describe('digests', () => {
  const digester = new CodeDigester([{ keyId: 1, pepper: 'pepper' }]);

  it('S4.1 of the same code differ between tenants', () => {
    const digests = ['T_A', 'T_B'].map((tenant) => digester.digest(tenant, 'ABCD2345'));
    expect(new Set(digests).size).toBe(2);
    for (const digest of digests) expect(digest).toMatch(/^[\w-]{43}$/);
  });

  it('do not confuse where the tenant ends and the code begins', () => {
    expect(digester.digest('T_A', 'BCDE')).not.toBe(digester.digest('T_AB', 'CDE'));
  });

  it('depend on the pepper, and are the ones that were stored before', () => {
    expect(new CodeDigester([{ keyId: 2, pepper: 'other' }]).digest('T_A', 'ABCD2345')).not.toBe(
      digester.digest('T_A', 'ABCD2345'),
    );
    expect(new CodeDigester([{ keyId: 1, pepper: 'pepper' }]).digest('T_A', 'ABCD2345')).toBe(
      digester.digest('T_A', 'ABCD2345'),
    );
  });
});
