import { canonicalize } from './canonical-code.js';
import { slotsOf, type CodeFormat } from './code-format.js';

/** All that a canonical code may hold. */
const CANONICAL_ALPHABET = '0123456789ABCDEFGHJKMNPQRSTUVWXYZ';
const DIGITS = '0123456789';
const ALL_DIGITS = /^[0-9]+$/;

/** Codes of one format. */
export interface FormatCount {
  readonly format: CodeFormat;
  readonly count: number;
}

/**
 * Formats of codes that came from outside: only their length and their characters are known. Codes of one length count
 * as digits only where all of them are, because some of any random codes happen to be.
 */
export function shapesOf(canonicals: readonly string[]): FormatCount[] {
  const byLength = Map.groupBy(canonicals, ({ length }) => length);
  return [...byLength].map(([length, codes]) => {
    const alphabet = codes.every((code) => ALL_DIGITS.test(code)) ? DIGITS : CANONICAL_ALPHABET;
    return { format: { template: '#'.repeat(length), alphabet }, count: codes.length };
  });
}

/** Whether a format is the text of one code, which was chosen. */
export function isLiteral(format: CodeFormat): boolean {
  return slotsOf(format).length === 0;
}

/** What a guesser has to go by: of a text that was chosen, no more than length and characters. */
export function guessedFormat(format: CodeFormat): CodeFormat {
  if (!isLiteral(format)) return format;
  return shapesOf([canonicalize(format.template) ?? format.template])[0]?.format ?? format;
}
