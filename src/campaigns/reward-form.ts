import { Money } from '../platform/decimal.js';
import { NOTHING_NAMED, type RewardRule, type RewardType } from '../rewards/reward-rule.js';
import type { REWARD_FORM_REFUSALS } from './campaign.errors.js';

type Field = 'unit' | 'amount' | 'currency' | 'validDays';
const FIELDS: readonly Field[] = ['unit', 'amount', 'currency', 'validDays'];

/** What each type may say besides what it names. */
const PLACES: Readonly<Record<RewardType, readonly Field[]>> = {
  SUBSCRIPTION: ['unit'],
  COUPON: [],
  POINTS: ['amount', 'validDays'],
  BALANCE: ['amount', 'currency'],
};

/** The most of each that one reward gives; how long a subscription may be, its unit decides. */
export const QUANTITY_MAX: Readonly<Record<RewardType, number>> = {
  SUBSCRIPTION: 10_000,
  COUPON: 20,
  POINTS: 1,
  BALANCE: 1,
};

const POINTS_MAX = 1_000_000_000;

interface FormFault {
  readonly code: (typeof REWARD_FORM_REFUSALS)[number];
  readonly message: string;
  readonly field: Field | 'targetId';
}

/** The first thing that is wrong with a reward by itself, before anything it names is looked for. */
export function faultOfForm(rule: RewardRule): FormFault | null {
  const { type, id, amount, currency } = rule;
  const unexpected = FIELDS.find((field) => rule[field] !== null && !PLACES[type].includes(field));
  if (unexpected !== undefined) return notAllowed(type, unexpected);
  if (type === 'POINTS' && id !== NOTHING_NAMED) return notAllowed(type, 'targetId');
  if (!PLACES[type].includes('amount')) return null;
  if (amount === null)
    return {
      code: 'REWARD_AMOUNT_REQUIRED',
      message: `A reward of type ${type} needs an amount.`,
      field: 'amount',
    };
  if (type === 'BALANCE' && currency === null)
    return {
      code: 'REWARD_CURRENCY_REQUIRED',
      message: 'A reward of type BALANCE needs the code of its currency.',
      field: 'currency',
    };
  return faultOfAmount(type, new Money(amount));
}

function faultOfAmount(type: RewardType, amount: Money): FormFault | null {
  if (type === 'POINTS' && !amount.isInteger())
    return {
      code: 'REWARD_POINTS_NOT_WHOLE',
      message: 'Points are given in whole numbers.',
      field: 'amount',
    };
  const isTooMuch = type === 'POINTS' && amount.gt(POINTS_MAX);
  if (amount.gt(0) && !isTooMuch) return null;
  const range = type === 'POINTS' ? `from 1 to ${POINTS_MAX}` : 'more than 0';
  return { code: 'REWARD_AMOUNT_OUT_OF_RANGE', message: `The amount must be ${range}.`, field: 'amount' };
}

function notAllowed(type: RewardType, field: FormFault['field']): FormFault {
  return {
    code: 'REWARD_FIELD_NOT_ALLOWED',
    message: `A reward of type ${type} has no ${field}. Leave it out.`,
    field,
  };
}
