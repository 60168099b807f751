import { createHash } from 'node:crypto';

/** The part of a stored rule that says what codes look like, as it stood when live codes were first counted. */
export interface StoredRule {
  readonly codeType: string;
  readonly length: number;
  readonly prefix: string;
  readonly pattern: string | null;
  readonly alphabet: string | null;
  readonly excludeChars: readonly string[];
}

/** How a rule's format was registered. Rules are judged before they are stored, so this judges nothing. */
export function formatSignature(rule: StoredRule): string {
  const excluded = new Set(rule.excludeChars.map((character) => character.toUpperCase()));
  const alphabet = [...fullAlphabetOf(rule)]
    .filter((character) => !excluded.has(character.toUpperCase()))
    .join('');
  const format = { template: rule.prefix + bodyOf(rule), alphabet };
  return createHash('sha256').update(JSON.stringify(format)).digest('hex');
}

function fullAlphabetOf({ codeType, alphabet }: StoredRule): string {
  if (codeType === 'RANDOM_NUM') return '0123456789';
  if (codeType === 'UUID') return '0123456789abcdef';
  return alphabet ?? 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789';
}

function bodyOf({ codeType, pattern, length }: StoredRule): string {
  if (codeType === 'PATTERN') return pattern ?? '';
  return codeType === 'UUID' ? '########-####-4###-@###-############' : '#'.repeat(length);
}
