import type { MikroORM } from '@mikro-orm/core';
import type { CodesPreview } from '../campaigns/campaigns.module.js';
import type { CampaignRule } from '../campaigns/campaign-rule.js';
import { tenantEm } from '../platform/database/orm.js';
import { formatOf } from './code-format.js';
import { CodeGenerator } from './code-generator.js';
import type { GuessSafety } from './guess-safety.service.js';

const SAMPLES = 5;

interface PlannedCodes {
  readonly tenantId: string;
  readonly rule: CampaignRule;
  /** 0 where it is not known yet. */
  readonly count: number;
}

/** Codes of a rule that nobody gets, and what they would do to the safety of the tenant's codes. */
export async function previewCodes(
  orm: MikroORM,
  guesses: Pick<GuessSafety, 'riskOf' | 'assertRoom'>,
  { tenantId, rule, count }: PlannedCodes,
): Promise<CodesPreview> {
  const em = tenantEm(orm, tenantId);
  const format = formatOf(rule);
  if (count > 0) await guesses.assertRoom(em, format, count, ['input', 'rule', 'length']);
  const { space, chance, left, ...risk } = await guesses.riskOf(em, format, Math.max(1, count));
  const generator = new CodeGenerator(format);
  return {
    samples: Array.from({ length: SAMPLES }, () => generator.next().text),
    differentCodes: space.toString(),
    guessesPerHit: Math.floor(1 / chance),
    codesPossible: Math.min(left, Number.MAX_SAFE_INTEGER),
    ...risk,
  };
}
