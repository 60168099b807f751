import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalize, lastFourOf } from '../../src/codes/canonical-code.js';
import { CodeDigester } from '../../src/codes/code-digester.js';

describe('one canonical form', () => {
  const spellings: [string, string][] = [
    ['small letters', 'abcd-efgh-2345'],
    ['spaces', '  ABCD EFGH 2345 '],
    ['full-width characters', 'ＡＢＣＤ－ＥＦＧＨ　２３４５'],
    ['an en dash, a minus and a soft hyphen', 'ABCD–EF−GH\u00ad2345'],
    ['no-break spaces and characters without a width', 'ABCD\u00a0EFGH\u200b2345\ufeff\u2060'],
    ['a line that was pasted whole', 'ABCDEFGH2345\r\n'],
  ];

  it.each(spellings)('ignores %s', (_name, spelling) => {
    expect(canonicalize(spelling)).toBe('ABCDEFGH2345');
  });

  it('folds what looks alike', () => {
    expect(canonicalize('oOiIlL01')).toBe('00111101');
  });

  const noCodes: [string, string][] = [
    ['nothing', ''],
    ['only separators', ' - – \u200b'],
    ['three characters', 'ABC'],
    ['33 characters', 'A'.repeat(33)],
    ['65 characters, however many of them count', `ABCD${' '.repeat(61)}`],
    ['a control character', 'ABCD\u0000EFGH'],
    ['punctuation', 'ABCD_EFGH'],
    ['a wildcard', 'ABCD%'],
    ['another script', 'ДЖЗИ1234'],
    ['letters that only their capital makes Latin', 'straße1234ß'],
    ['a dotless i', 'abcdı234'],
    ['an emoji', 'ABCD🎁EFGH'],
    ['half of one', 'ABCD\ud83cEFGH'],
  ];

  it.each(noCodes)('answers null for %s', (_name, input) => {
    expect(canonicalize(input)).toBeNull();
  });

  it('is idempotent, and holds only characters of its own, for any text', () => {
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
  });

  it('shows its last four', () => {
    expect(lastFourOf('ABCDEFGH')).toBe('EFGH');
  });
});

describe('digests', () => {
  const digester = new CodeDigester('pepper');

  it('S4.1 of the same code differ between tenants', () => {
    const digests = ['T_A', 'T_B'].map((tenant) => digester.digest(tenant, 'ABCD2345'));
    expect(new Set(digests).size).toBe(2);
    for (const digest of digests) expect(digest).toMatch(/^[\w-]{43}$/);
  });

  it('do not confuse where the tenant ends and the code begins', () => {
    expect(digester.digest('T_A', 'BCDE')).not.toBe(digester.digest('T_AB', 'CDE'));
  });

  it('depend on the pepper, and are the ones that were stored before', () => {
    expect(new CodeDigester('other').digest('T_A', 'ABCD2345')).not.toBe(digester.digest('T_A', 'ABCD2345'));
    expect(new CodeDigester('pepper').digest('T_A', 'ABCD2345')).toBe(digester.digest('T_A', 'ABCD2345'));
    expect(digester.keyId).toBe(1);
  });
});
