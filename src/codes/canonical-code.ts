/** Longest canonical code; also what the check of a rule's length goes by. */
export const CANONICAL_LENGTH_MAX = 32;
/** The last four characters are shown to staff, so a shorter code would be shown whole. */
export const CANONICAL_LENGTH_MIN = 4;
/** A code typed with separators; whatever is longer is not a code and is not looked at. */
const RAW_LENGTH_MAX = 64;

/** Every dash of Unicode, all white space, and the characters without a width that pasted text brings along. */
const SEPARATORS = /[\p{Dash}\s\p{Cf}]/gu;
const CODE_CHARACTERS = /^[0-9A-Za-z]+$/;
const LOOK_ALIKES: Readonly<Record<string, string>> = { O: '0', I: '1', L: '1' };

/** Folds capitals: what people cannot tell apart becomes one character. */
export function foldLookAlikes(text: string): string {
  return text.replace(/[OIL]/g, (character) => LOOK_ALIKES[character] ?? character);
}

/**
 * The one form that every spelling of a code has. It is the same for all codes of all campaigns, so the digest
 * is known before the campaign is: full-width characters become ordinary ones (NFKC), capitals and small letters
 * are one, separators count for nothing, and O, I, L are read as 0, 1, 1.
 *
 * Folding is part of the canonical form of *every* code: an alphabet may hold O or 0, never both, and the code
 * that was issued with an O is found by either. It is idempotent, and its result holds only `0-9A-Z` without O, I, L.
 *
 * @returns null for what cannot be any code: empty, too long, too short, or with a character that no code has.
 */
export function canonicalize(input: string): string | null {
  if (input.length === 0 || input.length > RAW_LENGTH_MAX) return null;
  const bare = input.normalize('NFKC').replace(SEPARATORS, '');
  if (bare.length < CANONICAL_LENGTH_MIN || bare.length > CANONICAL_LENGTH_MAX) return null;
  // Before the capitals: `toUpperCase` would make a plain S of characters that are not Latin letters.
  if (!CODE_CHARACTERS.test(bare)) return null;
  return foldLookAlikes(bare.toUpperCase());
}

/** What staff may see of a code whose text is not kept. */
export function lastFourOf(canonical: string): string {
  return canonical.slice(-4);
}
