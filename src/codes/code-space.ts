import { DomainError } from '../platform/errors.js';
import type { CodeFormatRefusal } from '../campaigns/campaign-rule.js';
import { CheckCharacter } from './check-character.js';
import { hasCheckCharacter, slotsOf, type CodeFormat } from './code-format.js';

/** Tolerance for the rounding of summed fractions. */
const ROUNDING = 1 + 1e-9;

/** How many different codes a format has. */
export function spaceOf(format: CodeFormat): bigint {
  const slots = slotsOf(format);
  if (hasCheckCharacter(format)) return BigInt(new CheckCharacter(format.alphabet).countOf(slots.length));
  return slots.reduce((space, slot) => space * BigInt(slot.length), 1n);
}

/** Codes of one format that a guess could hit. */
export interface LiveCodes {
  readonly format: CodeFormat;
  readonly live: number;
}

/** The probability that a random code of the format is live; above 1 where more codes are live than the format has. */
function hitChance({ format, live }: LiveCodes): number {
  return live === 0 ? 0 : live / Number(spaceOf(format));
}

/** How easily codes of a format could be guessed, given the tenant's other live codes. */
export interface GuessRisk {
  /** How many different codes the format has. */
  readonly space: bigint;
  /** Live codes of the tenant in formats that overlap with this one. */
  readonly liveBeside: number;
  /** The chance that one guess hits a live code. */
  readonly chance: number;
  /** How many codes of this format can still be issued. */
  readonly left: number;
}

export function guessRiskOf(
  wanted: LiveCodes,
  guessesPerHit: number,
  others: readonly LiveCodes[] = [],
): GuessRisk {
  const before = others.reduce((sum, each) => sum + hitChance(each), 0);
  const space = spaceOf(wanted.format);
  return {
    space,
    liveBeside: others.reduce((sum, each) => sum + each.live, 0),
    chance: before + hitChance(wanted),
    left: Math.max(0, Math.floor((1 / guessesPerHit - before) * Number(space) * ROUNDING)),
  };
}

/**
 * Refuses codes that could be guessed.
 *
 * @param wanted the codes asked for now
 * @param others live codes of the tenant in formats that overlap with theirs: one guess can hit both
 * @param guessesPerHit at most one guess in this number may hit a live code
 * @param field of the input that says what the codes look like
 * @throws DomainError CODE_SPACE_TOO_SMALL with the numbers
 */
export function assertSpace(
  wanted: LiveCodes,
  guessesPerHit: number,
  others: readonly LiveCodes[] = [],
  field?: readonly string[],
): void {
  const { space, liveBeside: live, chance, left } = guessRiskOf(wanted, guessesPerHit, others);
  if (chance * guessesPerHit <= ROUNDING) return;
  const code: CodeFormatRefusal = 'CODE_SPACE_TOO_SMALL';
  throw new DomainError(
    code,
    `The format allows ${space} different codes. With ${wanted.live} more, one guess in ${Math.floor(1 / chance)} would hit a live code of the tenant, which has ${live} in formats that overlap with this one; at most one guess in ${guessesPerHit} may. ${left} more codes of this format are possible. Make the codes longer, use a larger alphabet, or delete, void or end codes that are not needed.`,
    field && { field },
  );
}
