import { z } from 'zod';
import { isSet } from '../platform/assert.js';
import { isId } from '../platform/ids.js';
import { Money } from '../platform/decimal.js';
import { countNumber, foreignKeyText, instant, keyText, nameText, orElse } from '../platform/input.js';
import { expectedVersion } from '../platform/database/change-row.js';
import { dayNumberOf } from '../platform/zoned-time.js';
import { canonicalText } from '../platform/text.js';
import { isQuantity } from '../rewards/calendar.js';
import { NOTHING_NAMED, REWARD_TYPES } from '../rewards/reward-rule.js';
import { TIME_UNITS } from '../rewards/time-unit.js';
import { CODE_VISIBILITIES } from './campaign.entity.js';
import { CODE_TYPES, CODES_AT_ONCE_MAX, type CampaignRule } from './campaign-rule.js';

/** GraphQL's Int ends here, and so do the counts that people set. */
const COUNT_MAX = 2_147_483_647;
const REWARD_RULES_MAX = 16;

/** Digits only: no sign, no exponent, nothing that is not a number; what DECIMAL(30,10) holds exactly. */
const amountText = z
  .string()
  .regex(/^[0-9]{1,20}(\.[0-9]{1,10})?$/, 'must be an amount such as 12.50, not negative')
  .transform((text) => new Money(text).toFixed());
const currencyText = z.string().regex(/^[A-Z][A-Z0-9]{1,7}$/, 'must be the code of a currency such as USD');
const limitNumber = countNumber(0, COUNT_MAX);

/** Half of a surrogate pair is no text: the database takes no JSON that holds one. */
const isStorable = (text: string): boolean => text.isWellFormed();

/** Its length and its language are judged with their positions, in `campaign-conditions.service.ts`. */
const conditionText = z
  .string()
  .max(10_000, 'must have at most 10,000 characters')
  .refine(isStorable, 'must be text')
  .transform((text) => canonicalText(text).replaceAll('\r\n', '\n'));

/** GraphQL names what is given `targetId`; the JSON of seed 004, in which rules are stored, names it `id`. */
const rewardRule = z
  .strictObject({
    type: z.enum(REWARD_TYPES),
    targetId: foreignKeyText.nullish(),
    id: foreignKeyText.nullish(),
    unit: orElse(z.enum(TIME_UNITS), null),
    quantity: orElse(countNumber(1, 10_000), 1),
    value: orElse(amountText, '0'),
    condition: orElse(z.strictObject({ userTag: nameText(64) }), null),
    amount: orElse(amountText, null),
    currency: orElse(currencyText, null),
    validDays: orElse(countNumber(1, 36_500), null),
    when: orElse(conditionText, null),
  })
  .refine(({ unit, quantity }) => unit === null || isQuantity(unit, quantity), {
    message: 'must not last longer than a hundred years',
    path: ['quantity'],
  })
  .transform(({ targetId, id, ...rest }, context) => {
    const named = [targetId, id].filter(isSet);
    const [given = rest.type === 'POINTS' ? NOTHING_NAMED : undefined] = named;
    if (given !== undefined && named.length < 2) return { ...rest, id: given };
    const message = given === undefined ? 'must be given' : 'must not be given together with id';
    context.addIssue({ code: 'custom', message, path: ['targetId'] });
    return z.NEVER;
  });

const listOf = <Item extends z.ZodType>(item: Item, most: number) =>
  orElse(z.array(item).max(most, `must hold at most ${most}`), []);

const partText = (lengthMax: number) =>
  z.string().max(lengthMax, `must have at most ${lengthMax} characters`).refine(isStorable, 'must be text');

const campaignRule = z.strictObject({
  ruleId: nameText(64),
  codeType: z
    .enum([...CODE_TYPES, 'RANDOM_ALPHANUM'])
    .transform((type) => (type === 'RANDOM_ALPHANUM' ? 'ALPHANUM' : type)),
  length: orElse(countNumber(1, 32), 16),
  prefix: orElse(partText(32), ''),
  pattern: orElse(partText(40), null),
  alphabet: orElse(partText(36), null),
  excludeChars: listOf(
    z.string().max(8, 'must be single characters').refine(isStorable, 'must be characters'),
    64,
  ),
  // Left out where it is off: rules without it keep the digest of their arguments.
  checkCharacter: z
    .boolean()
    .nullish()
    .transform((isOn) => (isOn === true ? true : undefined)),
  validDays: orElse(countNumber(1, 36_500), null),
  useLimit: orElse(limitNumber, 1),
  applicableProducts: listOf(
    z.string().max(16, 'must be codes of product lines').refine(isStorable, 'must be codes of product lines'),
    100,
  ).transform((codes) => [...new Set(codes)]),
  // Left out where it is off, as the check character is.
  when: conditionText.nullish().transform((text) => text ?? undefined),
  rewardRules: listOf(rewardRule, REWARD_RULES_MAX),
}) satisfies z.ZodType<CampaignRule>;

/** A day in the tenant's time zone. Left out where it is missing, as the check character is. */
const dayText = z
  .string()
  .refine((text) => dayNumberOf(text) !== null, 'must be a day such as 2026-12-24')
  .nullish()
  .transform((text) => text ?? undefined);
const windowDays = { startsOn: dayText, lastDay: dayText };

const beginsBeforeItEnds = {
  check: (input: { startsAt?: Date | null | undefined; endsAt?: Date | null | undefined }) =>
    !input.startsAt || !input.endsAt || input.startsAt < input.endsAt,
  problem: { message: 'must lie after the beginning', path: ['endsAt'] },
};

/** What a campaign is made of. */
export const createCampaignInput = z
  .strictObject({
    name: nameText(64),
    rule: campaignRule,
    startsAt: orElse(instant, null),
    endsAt: orElse(instant, null),
    codeVisibility: orElse(z.enum(CODE_VISIBILITIES), 'VISIBLE'),
    userLimitTotal: orElse(limitNumber, 0),
    userLimitDay: orElse(limitNumber, 0),
    budgetUses: orElse(limitNumber, 0),
    budgetValue: orElse(amountText, '0'),
    initialCodes: orElse(countNumber(0, CODES_AT_ONCE_MAX), 0),
    idempotencyKey: orElse(foreignKeyText, null),
    ...windowDays,
  })
  .refine(beginsBeforeItEnds.check, beginsBeforeItEnds.problem);
const SAMPLE_MAX = 100;
const sampleInput = z.strictObject({
  userIds: orElse(
    z.array(foreignKeyText).min(1, 'must name a user').max(SAMPLE_MAX, `must hold at most ${SAMPLE_MAX}`),
    null,
  ),
  newest: orElse(countNumber(1, SAMPLE_MAX), 10),
  productCode: orElse(keyText(16), ''),
  deviceId: orElse(foreignKeyText, null),
  at: orElse(instant, null),
  campaignId: orElse(z.string().refine(isId, 'must be an id'), '0'),
});
export type SampleWanted = z.output<typeof sampleInput>;

/** What a form asks about before there is a campaign. */
export const previewRuleInput = z
  .strictObject({
    rule: campaignRule,
    startsAt: orElse(instant, null),
    endsAt: orElse(instant, null),
    userLimitTotal: orElse(limitNumber, 0),
    userLimitDay: orElse(limitNumber, 0),
    budgetUses: orElse(limitNumber, 0),
    budgetValue: orElse(amountText, '0'),
    /** Codes that are planned, in any number of batches. */
    codeCount: orElse(limitNumber, 0),
    /** Users for whom the conditions are evaluated. */
    sample: orElse(sampleInput, null),
    ...windowDays,
  })
  .refine(beginsBeforeItEnds.check, beginsBeforeItEnds.problem);
export type CreateCampaign = z.input<typeof createCampaignInput>;
export type CampaignWanted = z.output<typeof createCampaignInput>;

/**
 * The arguments by which a repeated call is known. Fields of rewards that came later are left out where they are null,
 * so that a call made before they existed keeps its digest.
 */
export function comparedArguments(wanted: CampaignWanted): Pick<CampaignWanted, 'idempotencyKey'> {
  const rewardRules = wanted.rule.rewardRules.map((reward) => ({
    ...reward,
    amount: reward.amount ?? undefined,
    currency: reward.currency ?? undefined,
    validDays: reward.validDays ?? undefined,
    when: reward.when ?? undefined,
  }));
  return { ...wanted, rule: { ...wanted.rule, rewardRules } } as Pick<CampaignWanted, 'idempotencyKey'>;
}

/** What may change later; the rule of a DRAFT only. A field that is missing stays; null takes an end of the window away. */
export const updateCampaignInput = z
  .strictObject({
    name: nameText(64).nullish(),
    startsAt: instant.nullish(),
    endsAt: instant.nullish(),
    userLimitTotal: limitNumber.nullish(),
    userLimitDay: limitNumber.nullish(),
    budgetUses: limitNumber.nullish(),
    budgetValue: amountText.nullish(),
    rule: campaignRule.nullish(),
    ...windowDays,
    expectedVersion,
  })
  .refine(beginsBeforeItEnds.check, beginsBeforeItEnds.problem);

/** By which code a field is refused. */
export const CHANGEABLE_FIELD_REFUSALS = {
  input: 'INPUT_NOT_ALLOWED',
  name: 'NAME_NOT_ALLOWED',
  startsAt: 'WINDOW_NOT_ALLOWED',
  endsAt: 'WINDOW_NOT_ALLOWED',
  startsOn: 'WINDOW_NOT_ALLOWED',
  lastDay: 'WINDOW_NOT_ALLOWED',
  userLimitTotal: 'LIMIT_OUT_OF_RANGE',
  userLimitDay: 'LIMIT_OUT_OF_RANGE',
  budgetUses: 'BUDGET_OUT_OF_RANGE',
  budgetValue: 'BUDGET_OUT_OF_RANGE',
  rule: 'RULE_NOT_ALLOWED',
} as const;
export const FIELD_REFUSALS = {
  ...CHANGEABLE_FIELD_REFUSALS,
  initialCodes: 'CODE_COUNT_OUT_OF_RANGE',
  codeCount: 'CODE_COUNT_OUT_OF_RANGE',
  sample: 'SAMPLE_NOT_ALLOWED',
  idempotencyKey: 'IDEMPOTENCY_KEY_MALFORMED',
} as const;
