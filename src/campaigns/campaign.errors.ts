import { VERSION_REFUSALS } from '../platform/database/change-row.js';
import { EXPRESSION_REFUSALS } from '../platform/expressions/expression-fault.js';
import { REWARD_RULE_FAULTS } from '../rewards/reward-handler.js';
import { DIRECTORY_REFUSALS } from '../tenancy/directory/directory.service.js';
import { TENANT_REFUSALS } from '../tenancy/tenant.service.js';
import { CODE_FORMAT_REFUSALS } from './campaign-rule.js';

/** What can be wrong with a reward by itself, in order of precedence. */
export const REWARD_FORM_REFUSALS = [
  'REWARD_FIELD_NOT_ALLOWED',
  'REWARD_AMOUNT_REQUIRED',
  'REWARD_CURRENCY_REQUIRED',
  'REWARD_POINTS_NOT_WHOLE',
  'REWARD_AMOUNT_OUT_OF_RANGE',
] as const;

/** Why a rule is not taken, beside its own form; in order of precedence. */
const RULE_REFUSALS = [
  ...EXPRESSION_REFUSALS,
  ...CODE_FORMAT_REFUSALS,
  ...REWARD_FORM_REFUSALS,
  'REWARD_TARGET_NOT_FOUND',
  ...REWARD_RULE_FAULTS,
  'REWARD_QUANTITY_OUT_OF_RANGE',
  'PRODUCT_LINE_NOT_FOUND',
] as const;
/** The last two also answer for what rewards come to within a limit. */
export type CampaignRuleRefusal =
  | (typeof RULE_REFUSALS)[number]
  | 'REWARD_VALUE_OUT_OF_RANGE'
  | 'LIMIT_OUT_OF_RANGE'
  | 'BUDGET_OUT_OF_RANGE';

/** Why a campaign, with its first codes, is not made; in order of precedence. */
export const CREATE_CAMPAIGN_REFUSALS = [
  'IDEMPOTENCY_KEYS_DIFFER',
  'NAME_NOT_ALLOWED',
  'RULE_NOT_ALLOWED',
  'WINDOW_NOT_ALLOWED',
  'LIMIT_OUT_OF_RANGE',
  'BUDGET_OUT_OF_RANGE',
  'CODE_COUNT_OUT_OF_RANGE',
  'IDEMPOTENCY_KEY_MALFORMED',
  'INPUT_NOT_ALLOWED',
  'REWARD_VALUE_OUT_OF_RANGE',
  'IDEMPOTENCY_KEY_REUSED',
  ...DIRECTORY_REFUSALS,
  ...TENANT_REFUSALS,
  ...RULE_REFUSALS,
] as const;
export type CreateCampaignRefusal = (typeof CREATE_CAMPAIGN_REFUSALS)[number];

/** Why a campaign would not be made; in order of precedence. */
export const PREVIEW_CAMPAIGN_RULE_REFUSALS = [
  'RULE_NOT_ALLOWED',
  'WINDOW_NOT_ALLOWED',
  'LIMIT_OUT_OF_RANGE',
  'BUDGET_OUT_OF_RANGE',
  'CODE_COUNT_OUT_OF_RANGE',
  'SAMPLE_NOT_ALLOWED',
  'INPUT_NOT_ALLOWED',
  'REWARD_VALUE_OUT_OF_RANGE',
  ...TENANT_REFUSALS,
  ...RULE_REFUSALS,
] as const;

export const UPDATE_CAMPAIGN_REFUSALS = [
  'NAME_NOT_ALLOWED',
  'RULE_NOT_ALLOWED',
  'WINDOW_NOT_ALLOWED',
  'LIMIT_OUT_OF_RANGE',
  'BUDGET_OUT_OF_RANGE',
  'INPUT_NOT_ALLOWED',
  ...RULE_REFUSALS,
  'CAMPAIGN_NOT_FOUND',
  ...VERSION_REFUSALS,
  'CAMPAIGN_ENDED',
  'RULE_FROZEN',
  'REWARD_VALUE_OUT_OF_RANGE',
] as const;
export type UpdateCampaignRefusal = (typeof UPDATE_CAMPAIGN_REFUSALS)[number];

export const DELETE_CAMPAIGN_REFUSALS = [
  'CAMPAIGN_NOT_FOUND',
  ...VERSION_REFUSALS,
  'CAMPAIGN_NOT_DRAFT',
] as const;
export type DeleteCampaignRefusal = (typeof DELETE_CAMPAIGN_REFUSALS)[number];

/** What deserves a look before a campaign that was activated is announced. */
export const CAMPAIGN_WARNINGS = ['CAMPAIGN_WITHOUT_REWARDS', 'CAMPAIGN_WINDOW_OVER'] as const;
export type CampaignWarning = (typeof CAMPAIGN_WARNINGS)[number];

/** Why a campaign does not change its state: each names the state it would have to be in, or is in. */
export const CAMPAIGN_STATE_REFUSALS = [
  'CAMPAIGN_NOT_FOUND',
  'CAMPAIGN_ENDED',
  'CAMPAIGN_NOT_DRAFT',
  'CAMPAIGN_NOT_ACTIVE',
  'CAMPAIGN_NOT_PAUSED',
  'CAMPAIGN_NOT_STARTED',
] as const;
export type CampaignStateRefusal = (typeof CAMPAIGN_STATE_REFUSALS)[number];
