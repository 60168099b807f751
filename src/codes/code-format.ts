import { DomainError } from '../platform/errors.js';
import type { CampaignRule, CodeFormatRefusal } from '../campaigns/campaign-rule.js';
import { CANONICAL_LENGTH_MAX, CANONICAL_LENGTH_MIN, foldLookAlikes } from './canonical-code.js';

/** The part of a campaign's rule that says what its codes look like. */
export type CodeShape = Pick<
  CampaignRule,
  'codeType' | 'length' | 'prefix' | 'pattern' | 'alphabet' | 'excludeChars' | 'checkCharacter'
>;

/**
 * The shape of a code as it is shown: `#` is any character of the alphabet, `@` any of the alphabet that may be
 * the variant digit of a UUID, `*` at the end the check character, everything else stands for itself.
 */
export interface CodeFormat {
  readonly template: string;
  readonly alphabet: string;
}

export const DEFAULT_ALPHABET = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789';
/** Stands in a template for the character that follows from the random ones. */
export const CHECK_MARK = '*';
const DIGITS = '0123456789';
const HEX_DIGITS = '0123456789abcdef';
const UUID_TEMPLATE = '########-####-4###-@###-############';
const UUID_VARIANTS = '89abAB';
/** The column of the shown text. */
const TEXT_LENGTH_MAX = 40;

/** The format of a rule's codes. @throws DomainError with a {@link CodeFormatRefusal}. */
export function formatOf(shape: CodeShape): CodeFormat {
  const alphabet = alphabetOf(shape);
  const template = shape.prefix + bodyOf(shape, alphabet) + checkOf(shape);
  if (!/^[0-9A-Za-z-]*$/.test(shape.prefix)) {
    refuse('CODE_CHARACTERS_NOT_ALLOWED', 'A prefix may hold letters A to Z, digits and hyphens.', 'prefix');
  }
  const canonicalLength = template.replaceAll('-', '').length;
  if (canonicalLength < CANONICAL_LENGTH_MIN) {
    refuse('CODE_TOO_SHORT', `A code has at least ${CANONICAL_LENGTH_MIN} characters.`, 'length');
  }
  if (canonicalLength > CANONICAL_LENGTH_MAX || template.length > TEXT_LENGTH_MAX) {
    const most = `${CANONICAL_LENGTH_MAX} characters with its prefix, ${TEXT_LENGTH_MAX} with hyphens`;
    refuse('CODE_TOO_LONG', `A code has at most ${most}.`, 'length');
  }
  const format = { template, alphabet };
  if (slotsOf(format).some((slot) => slot.length === 0)) {
    refuse(
      'CODE_ALPHABET_EMPTY',
      'The exclusions leave no character for a place that a UUID needs.',
      'excludeChars',
    );
  }
  return format;
}

/** The characters that each random place can have, from left to right. */
export function slotsOf(format: CodeFormat): string[] {
  const variants = [...format.alphabet].filter((character) => UUID_VARIANTS.includes(character)).join('');
  return [...format.template].flatMap((character) => {
    if (character === '#') return [format.alphabet];
    return character === '@' ? [variants] : [];
  });
}

/** Whether a place of a template stands for several characters. */
export function isMark(place: string): boolean {
  return place === '#' || place === '@' || place === CHECK_MARK;
}

/** True where the last character of the format's codes is a check character. */
export function hasCheckCharacter({ template }: CodeFormat): boolean {
  return template.endsWith(CHECK_MARK);
}

function checkOf({ checkCharacter, codeType }: CodeShape): string {
  if (checkCharacter !== true) return '';
  if (codeType === 'UUID') {
    const message = 'A UUID has no place for a check character. Choose another type of code.';
    refuse('CODE_CHECK_CHARACTER_NOT_POSSIBLE', message, 'checkCharacter');
  }
  return CHECK_MARK;
}

function alphabetOf(shape: CodeShape): string {
  for (const character of shape.excludeChars) {
    if (!/^[0-9A-Za-z]$/.test(character)) {
      refuse(
        'CODE_CHARACTERS_NOT_ALLOWED',
        'Excluded characters are single letters A to Z or digits.',
        'excludeChars',
      );
    }
  }
  const excluded = new Set(shape.excludeChars.map((character) => character.toUpperCase()));
  const alphabet = [...fullAlphabetOf(shape)]
    .filter((character) => !excluded.has(character.toUpperCase()))
    .join('');
  if (alphabet.length === 0) {
    refuse('CODE_ALPHABET_EMPTY', 'No character is left to make codes of.', 'excludeChars');
  }
  if (new Set(foldLookAlikes(alphabet.toUpperCase())).size !== alphabet.length) {
    refuse(
      'CODE_ALPHABET_AMBIGUOUS',
      'O and 0 are read as one character, as are I, L and 1: use one of each.',
      'alphabet',
    );
  }
  return alphabet;
}

function fullAlphabetOf(shape: CodeShape): string {
  if (shape.codeType === 'RANDOM_NUM') return DIGITS;
  if (shape.codeType === 'UUID') return HEX_DIGITS;
  const alphabet = shape.alphabet ?? DEFAULT_ALPHABET;
  if (!/^[0-9A-Z]*$/.test(alphabet)) {
    refuse('CODE_CHARACTERS_NOT_ALLOWED', 'An alphabet may hold capitals A to Z and digits.', 'alphabet');
  }
  return alphabet;
}

function bodyOf(shape: CodeShape, alphabet: string): string {
  if (shape.codeType === 'PATTERN') return patternOf(shape.pattern ?? '');
  if (shape.codeType !== 'UUID') return '#'.repeat(shape.length);
  if (!alphabet.includes('4')) {
    refuse(
      'CODE_ALPHABET_EMPTY',
      'The digit 4 tells the version of a UUID and cannot be excluded.',
      'excludeChars',
    );
  }
  return UUID_TEMPLATE;
}

function patternOf(pattern: string): string {
  if (!/^[0-9A-Za-z#-]*$/.test(pattern)) {
    refuse(
      'CODE_CHARACTERS_NOT_ALLOWED',
      'A pattern may hold letters A to Z, digits, hyphens and #.',
      'pattern',
    );
  }
  if (!pattern.includes('#')) {
    refuse('CODE_PATTERN_WITHOUT_RANDOM', 'A pattern needs a # for each random character.', 'pattern');
  }
  return pattern;
}

function refuse(code: CodeFormatRefusal, message: string, field: keyof CodeShape): never {
  throw new DomainError(code, message, { field: ['input', 'rule', field] });
}
