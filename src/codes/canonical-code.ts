/** Longest canonical code; also what the check of a rule's length goes by. */
export const CANONICAL_LENGTH_MAX = 32;
/** The last four characters are shown to staff, so a shorter code would be shown whole. */
export const CANONICAL_LENGTH_MIN = 4;
/** What is typed or pasted around a code has an end; longer text is not looked at. */
const RAW_LENGTH_MAX = 256;

/**
 * What people and programs put between and around the characters of a code. No code holds one of them: blanks and
 * dashes of any kind, the long mark of a Japanese keyboard, dots and full stops, underscores, quotation marks and what
 * is taken for them, and the characters without a width that pasted text brings along.
 */
const SEPARATORS =
  /[\p{White_Space}\u2800\p{Dash}ー._·•⁃・。۔।\p{Quotation_Mark}`ʼ′\p{Cf}\p{Default_Ignorable_Code_Point}]/gu;
/** What a Turkish keyboard writes for I, alone or with its dot apart. It cannot be told from an I by its holder. */
const TURKISH_I = /[İı]|i\u0307/gu;
const CODE_CHARACTERS = /^[0-9A-Za-z]+$/;
/** As codes are issued; nothing but the look-alikes is left to change in it. */
const PLAIN = new RegExp(`^[0-9A-Z]{1,${CANONICAL_LENGTH_MAX}}$`);
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
 * Digests are stored, so what it makes of letters, digits and hyphens must never change.
 *
 * @returns null for what cannot be any code: empty, too long, too short, or with a character that no code has.
 */
export function canonicalize(input: string): string | null {
  const canonical = canonicalPart(input);
  return canonical === null || canonical.length < CANONICAL_LENGTH_MIN ? null : canonical;
}

/** The same of a part of a code. @returns null for what cannot be a part of any code */
export function canonicalPart(input: string): string | null {
  // Most texts; the rest costs several times as much.
  if (PLAIN.test(input)) return foldLookAlikes(input);
  if (input.length > RAW_LENGTH_MAX) return null;
  // Apart by NFKC, an acute accent would leave a mark.
  const plain = input.replaceAll('´', '').normalize('NFKC').replace(TURKISH_I, 'I');
  const bare = plain.replace(SEPARATORS, '');
  // Before the capitals: `toUpperCase` would make a plain S of characters that are not Latin letters.
  if (bare.length > CANONICAL_LENGTH_MAX || !CODE_CHARACTERS.test(bare)) return null;
  return foldLookAlikes(bare.toUpperCase());
}

/** What staff may see of a code whose text is not kept: its own characters, as its holder reads them. */
export function lastFourOf(text: string): string {
  return text.replaceAll('-', '').slice(-4);
}
