import type { StoredRewardRule } from '../rewards/reward-rule.js';

export const CODE_TYPES = ['RANDOM_NUM', 'ALPHANUM', 'UUID', 'PATTERN'] as const;
export type CodeType = (typeof CODE_TYPES)[number];

/** What one transaction issues in good time; more is made by a job. */
export const CODES_AT_ONCE_MAX = 10_000;

/** Why no codes can be made by a rule. */
export const CODE_FORMAT_REFUSALS = [
  'CODE_CHARACTERS_NOT_ALLOWED',
  'CODE_ALPHABET_EMPTY',
  'CODE_ALPHABET_AMBIGUOUS',
  'CODE_PATTERN_WITHOUT_RANDOM',
  'CODE_CHECK_CHARACTER_NOT_POSSIBLE',
  'CODE_TOO_SHORT',
  'CODE_TOO_LONG',
  'CODE_SPACE_TOO_SMALL',
] as const;
export type CodeFormatRefusal = (typeof CODE_FORMAT_REFUSALS)[number];

/** The rule of a campaign (seed 004, section 9), typed on entry and stored as it stands here. */
export interface CampaignRule {
  readonly ruleId: string;
  readonly codeType: CodeType;
  /** Random characters, without prefix and separators; of no effect for UUID and PATTERN. */
  readonly length: number;
  readonly prefix: string;
  /** For PATTERN: `#` stands for a random character, everything else for itself. */
  readonly pattern: string | null;
  /** For ALPHANUM and PATTERN: the random characters; null takes the one without look-alikes. */
  readonly alphabet: string | null;
  readonly excludeChars: readonly string[];
  /** One more character at the end, by which typos are refused before any look-up; not for UUID. */
  readonly checkCharacter?: true | undefined;
  /** Counted from the code's issue; null never ends. */
  readonly validDays: number | null;
  /** Uses of one code; 0 means unlimited. */
  readonly useLimit: number;
  /** Product lines that may redeem; empty means all. */
  readonly applicableProducts: readonly string[];
  /** Who may redeem, in the language of `condition-facts.ts`; left out where everybody may. */
  readonly when?: string | undefined;
  readonly rewardRules: readonly StoredRewardRule[];
}
