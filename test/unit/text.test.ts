import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseInput, nameText } from '../../src/platform/input.js';
import { canonicalText, faultOfText, lengthOf } from '../../src/platform/text.js';
import { RuleConditions } from '../../src/campaigns/campaign-conditions.service.js';

const parse = (text: string, lengthMax = 64): string => nameText(lengthMax).parse(text);
const isName = (text: string): boolean => nameText(64).safeParse(text).success;

describe('a name that people read', () => {
  const names: [string, string][] = [
    ['an accent', 'Café'],
    ['Persian with a non-joiner', 'می\u200cخواهم'],
    ['Persian with vowel signs around it', 'مِی\u200cخواهم'],
    ['Hindi with a joiner', 'क्\u200dष'],
    ['Hindi with a non-joiner', 'क्\u200cष'],
    ['Malayalam that ends with a joiner', 'അവന്\u200d'],
    ['Sinhala with a joiner', 'ශ්\u200dරී ලංකා'],
    ['Bengali with a joiner', 'র\u200d্যাব'],
    ['Mongolian with its separator', 'ᠮᠣᠩᠭᠣᠯ\u180eᠠ'],
    ['a family', '👨\u200d👩\u200d👧\u200d👦 plan'],
    ['a family of other skins', '👩🏽\u200d❤\ufe0f\u200d💋\u200d👨🏿'],
    ['a profession', '🧑🏿\u200d🚀'],
    ['the flag of the rainbow', '🏳\ufe0f\u200d🌈'],
    ['a flag of a country', '🇮🇷 🇮🇳'],
    ['the flag of Scotland', '🏴\u{E0067}\u{E0062}\u{E0073}\u{E0063}\u{E0074}\u{E007F}'],
    ['a red heart', '❤\ufe0f'],
    ['a heart as text', '❤\ufe0e'],
    ['a keycap', '1\ufe0f\u20e3'],
    ['a thumb with a skin tone', '👍🏾'],
    ['a name that needs a variant of an ideograph', '葛\u{E0100}城'],
    ['braille with its space', '⠃⠗⠁⠊\u2800⠇⠇⠑'],
    ['an Arabic number sign', '\u060012'],
    ['an ideographic space between words', '山田\u3000太郎'],
    ['one letter', 'x'],
  ];
  it.each(names)('is accepted unchanged: %s', (_name, text) => {
    expect(parse(text)).toBe(canonicalText(text));
  });

  const refused = `
    0020 00A0 3000 3164 2800 034F FFFF 200D 200C 200B 115F 1160 FFA0 00AD
    180E 2028 2029 0085 000A 0000 FEFF 2060 FE0F E0001 E0067 200E 200F 061C
    202A 202E 2066 2069 D83D DC00 FDD0 1FFFF E000 0301 20E3 FFF9 1D159 13441
    16FE4 17B4 2065 FFF0`
    .trim()
    .split(/\s+/);
  it.each(refused)('is never U+%s alone, however often', (code) => {
    const character = String.fromCodePoint(Number.parseInt(code, 16));
    expect(isName(character)).toBe(false);
    expect(isName(character.repeat(3))).toBe(false);
  });

  const inside: [string, string][] = [
    ['a line separator', 'a\u2028b'],
    ['a paragraph separator', 'a\u2029b'],
    ['a next line', 'a\u0085b'],
    ['a line feed', 'a\nb'],
    ['a tab', 'a\tb'],
    ['a filler', 'a\u3164b'],
    ['a blank braille cell', 'a\u2800b'],
    ['a joiner between Latin letters', 'a\u200db'],
    ['a non-joiner at the end of a Persian word', 'می\u200c'],
    ['two joiners', 'क्\u200d\u200dष'],
    ['a joiner at the end of an emoji', '👩\u200d'],
    ['a variation selector at a letter', 'a\ufe0f'],
    ['a variation selector at a digit', '1\ufe0f'],
    ['hidden tags behind another emoji', '👍\u{E0067}\u{E0062}\u{E0073}\u{E007F}'],
    ['tags that hide a sentence', `🏴${'\u{E0061}'.repeat(20)}\u{E007F}`],
    ['an override of the direction', 'a\u202eb'],
    ['half of an emoji', 'a\ud83db'],
    ['a noncharacter', 'a\uffffb'],
    ['a private character', 'a\ue000b'],
  ];
  it.each(inside)('does not hold %s, and the refusal names the character', (_name, text) => {
    expect(isName(text)).toBe(false);
    expect(faultOfText(text)).toMatch(/\(U\+[0-9A-F]{4,6}\)/);
  });

  it(
    'is trimmed, and one spelling: an accent apart and in its letter are the same',
    { timeout: 30_000 },
    () => {
      expect(parse('  Cafe\u0301\u2028\n')).toBe('Café');
      const texts = fc.string({ unit: 'binary', maxLength: 70 });
      fc.assert(
        fc.property(texts, (text) => {
          const [plain, apart] = [text, text.normalize('NFD')].map((spelling) =>
            nameText(64).safeParse(spelling),
          );
          expect(apart?.data).toBe(plain?.data);
          expect(apart?.success).toBe(plain?.success);
          if (plain?.data === undefined) return;
          expect(parse(plain.data)).toBe(plain.data);
          expect(plain.data).toBe(canonicalText(plain.data));
          expect(plain.data).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Bidi_Control}]/u);
          expect(lengthOf(plain.data)).toBeLessThanOrEqual(64);
        }),
        { numRuns: 2000 },
      );
    },
  );

  it('has as many characters as its column: an emoji counts once, and what one spelling adds counts too', () => {
    expect(parse('🎁'.repeat(64))).toHaveLength(128);
    expect(isName('🎁'.repeat(65))).toBe(false);
    expect(parse('e\u0301'.repeat(64))).toBe('é'.repeat(64));
    // U+FB2C has no form of one character: it becomes three.
    expect(isName('\ufb2c'.repeat(22))).toBe(false);
    expect(isName('\ufb2c'.repeat(21))).toBe(true);
  });

  it('tells what is wrong with it', async () => {
    const codes = { input: 'INPUT_NOT_ALLOWED' } as const;
    const refusal = async (text: string) =>
      Promise.resolve()
        .then(() => parseInput(nameText(3), text, codes))
        .catch((error: unknown) => (error as Error).message);
    expect(await refusal('abcd')).toBe('The input must have at most 3 characters.');
    expect(await refusal('')).toBe('The input must not be empty.');
    expect(await refusal('\u0301')).toBe('The input must hold a character that can be seen.');
    expect(await refusal('\u3164')).toBe(
      'The input must not hold a line break or a character that cannot be seen (U+3164).',
    );
  });
});

describe('conditions', () => {
  it('of rules and tags of users that were stored in another spelling are still met', () => {
    const rewardRules = ['Cafe\u0301', 'Café', 'other'].map((userTag) => ({ condition: { userTag } }));
    const [rule] = [{ rewardRules }] as unknown as ConstructorParameters<typeof RuleConditions>;
    const conditions = new RuleConditions(rule);
    for (const tag of ['Café', 'Cafe\u0301'])
      expect(conditions.judge({ userTags: [tag] }).rewardNos).toEqual([0, 1]);
  });
});
