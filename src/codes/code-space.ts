import { DomainError } from '../platform/errors.js';
import type { CodeFormatRefusal } from '../campaigns/campaign-rule.js';
import { slotsOf, type CodeFormat } from './code-format.js';

/** At most one of this number of possible codes is issued. */
const POSSIBLE_PER_ISSUED = 1000n;
const SPACE_MIN = 1_000_000n;

/** How many different codes a format has. */
export function spaceOf(format: CodeFormat): bigint {
  return slotsOf(format).reduce((space, slot) => space * BigInt(slot.length), 1n);
}

/**
 * Refuses a format that could be guessed: it must have a million codes, and a thousand for each one that its
 * campaign issues. One guess in a thousand at best then meets a code; the limits on failed attempts do the rest.
 *
 * @param issued codes of the campaign, those asked for now included
 * @throws DomainError CODE_SPACE_TOO_SMALL
 */
export function assertSpace(format: CodeFormat, issued: number): void {
  const space = spaceOf(format);
  if (space >= SPACE_MIN && space >= POSSIBLE_PER_ISSUED * BigInt(issued)) return;
  const code: CodeFormatRefusal = 'CODE_SPACE_TOO_SMALL';
  throw new DomainError(
    code,
    `The rule allows ${space} different codes; it must allow ${SPACE_MIN}, and ${POSSIBLE_PER_ISSUED} for each code issued.`,
    { field: ['input', 'rule', 'length'] },
  );
}
