import type { UseFormReturnType } from '@mantine/form';
import type {
  CampaignDetailFragment,
  CampaignRuleInput,
  CodeType,
  CodeVisibility,
  RewardRuleInput,
  RewardType,
  TimeUnit,
} from './campaigns.gql';

/** One reward in the form: what its type does not have stays empty, and is not sent. */
export interface RewardValues {
  readonly key: string;
  readonly type: RewardType;
  readonly targetId: string | null;
  readonly quantity: number;
  readonly unit: TimeUnit | null;
  readonly amount: string;
  readonly currency: string | null;
  readonly validDays: number | '';
  readonly value: string;
  readonly condition: { readonly userTag: string };
  readonly when: string;
}

/** The shape of the server's input, so that its refusals find their fields. */
export interface CampaignValues extends Record<string, unknown> {
  readonly name: string;
  readonly codeVisibility: CodeVisibility;
  readonly startsAt: string | null;
  readonly endsAt: string | null;
  readonly userLimitTotal: number;
  readonly userLimitDay: number;
  readonly budgetUses: number;
  readonly budgetValue: string;
  readonly initialCodes: number;
  readonly rule: {
    readonly ruleId: string;
    readonly codeType: CodeType;
    readonly length: number;
    readonly prefix: string;
    readonly pattern: string;
    readonly alphabet: string;
    readonly excludeChars: string;
    readonly checkCharacter: boolean;
    readonly validDays: number | '';
    readonly useLimit: number;
    readonly applicableProducts: string[];
    readonly when: string;
    readonly rewardRules: RewardValues[];
  };
}

export type CampaignFormOf = UseFormReturnType<CampaignValues>;

export const BLANK: CampaignValues = {
  name: '',
  codeVisibility: 'VISIBLE',
  startsAt: null,
  endsAt: null,
  userLimitTotal: 0,
  userLimitDay: 0,
  budgetUses: 0,
  budgetValue: '0',
  initialCodes: 0,
  rule: {
    ruleId: '',
    codeType: 'ALPHANUM',
    length: 16,
    prefix: '',
    pattern: '',
    alphabet: '',
    excludeChars: '',
    checkCharacter: false,
    validDays: '',
    useLimit: 1,
    applicableProducts: [],
    when: '',
    rewardRules: [],
  },
};

let keys = 0;

export function blankReward(type: RewardType = 'SUBSCRIPTION'): RewardValues {
  keys += 1;
  return {
    key: `reward-${keys}`,
    type,
    targetId: null,
    quantity: 1,
    unit: null,
    amount: '',
    currency: null,
    validDays: '',
    value: '0',
    condition: { userTag: '' },
    when: '',
  };
}

export function valuesOf(campaign: CampaignDetailFragment): CampaignValues {
  const { name, codeVisibility, startsAt, endsAt, rule } = campaign;
  const { userLimitTotal, userLimitDay, budgetUses, budgetValue } = campaign;
  const limits = { userLimitTotal, userLimitDay, budgetUses, budgetValue };
  return { name, codeVisibility, startsAt, endsAt, ...limits, initialCodes: 0, rule: ruleValuesOf(rule) };
}

function ruleValuesOf({
  pattern,
  alphabet,
  ...rule
}: CampaignDetailFragment['rule']): CampaignValues['rule'] {
  return {
    ...rule,
    pattern: pattern ?? '',
    alphabet: alphabet ?? '',
    excludeChars: rule.excludeChars.join(''),
    checkCharacter: rule.checkCharacter === true,
    validDays: rule.validDays ?? '',
    applicableProducts: [...rule.applicableProducts],
    when: rule.when ?? '',
    rewardRules: rule.rewardRules.map((reward) => ({
      ...blankReward(reward.type),
      ...reward,
      amount: reward.amount ?? '',
      validDays: reward.validDays ?? '',
      condition: { userTag: reward.condition?.userTag ?? '' },
      when: reward.when ?? '',
    })),
  };
}

/** What creating and changing have in common. */
export function termsOf(values: CampaignValues) {
  const { name, startsAt, endsAt, userLimitTotal, userLimitDay, budgetUses, budgetValue } = values;
  const limits = { userLimitTotal, userLimitDay, budgetUses, budgetValue: budgetValue || '0' };
  return { name, startsAt, endsAt, ...limits };
}

export function ruleOf({ name, rule }: CampaignValues): CampaignRuleInput {
  const { codeType, pattern, alphabet, excludeChars, validDays } = rule;
  const isDrawn = codeType === 'ALPHANUM' || codeType === 'PATTERN';
  return {
    ruleId: rule.ruleId.trim() || name,
    codeType,
    length: rule.length,
    prefix: codeType === 'PATTERN' ? '' : rule.prefix,
    pattern: codeType === 'PATTERN' ? pattern : null,
    alphabet: isDrawn && alphabet !== '' ? alphabet : null,
    excludeChars: [...excludeChars.replaceAll(/\s/g, '')],
    checkCharacter: rule.checkCharacter && codeType !== 'UUID',
    validDays: validDays === '' ? null : validDays,
    useLimit: rule.useLimit,
    applicableProducts: rule.applicableProducts,
    when: conditionOf(rule.when),
    rewardRules: rule.rewardRules.map(rewardOf),
  };
}

/** Only the fields that a reward of this type has. */
function rewardOf({ type, targetId, quantity, unit, ...reward }: RewardValues): RewardRuleInput {
  const { amount, currency, validDays, value, condition, when } = reward;
  const isAmount = type === 'POINTS' || type === 'BALANCE';
  return {
    type,
    ...(type !== 'POINTS' && { targetId }),
    ...(isAmount ? { amount: amount === '' ? null : amount } : { quantity }),
    ...(type === 'SUBSCRIPTION' && { unit }),
    ...(type === 'BALANCE' && { currency }),
    ...(type === 'POINTS' && { validDays: validDays === '' ? null : validDays }),
    value: value || '0',
    condition: condition.userTag === '' ? null : condition,
    when: conditionOf(when),
  };
}

const conditionOf = (text: string): string | null => (text.trim() === '' ? null : text);
