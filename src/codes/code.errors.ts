import { TENANT_REFUSALS } from '../tenancy/tenant.service.js';

/** Why codes are not generated, in order of precedence. */
export const GENERATE_CODES_REFUSALS = [
  'IDEMPOTENCY_KEYS_DIFFER',
  'CODE_COUNT_OUT_OF_RANGE',
  'IDEMPOTENCY_KEY_MALFORMED',
  'INPUT_NOT_ALLOWED',
  'IDEMPOTENCY_KEY_REUSED',
  ...TENANT_REFUSALS,
  'CAMPAIGN_NOT_FOUND',
  'CAMPAIGN_ENDED',
  'CODE_SPACE_TOO_SMALL',
] as const;
export type GenerateCodesRefusal = (typeof GENERATE_CODES_REFUSALS)[number];

export const SET_CODE_ENABLED_REFUSALS = ['CODE_NOT_FOUND', 'CODE_NOT_ACTIVATED'] as const;
export const UPDATE_CODE_REFUSALS = [
  'USE_LIMIT_OUT_OF_RANGE',
  'EXPIRY_NOT_ALLOWED',
  'INPUT_NOT_ALLOWED',
  'CODE_NOT_FOUND',
  'USER_NOT_FOUND',
  'USE_LIMIT_BELOW_USED',
  'CODE_SPACE_TOO_SMALL',
] as const;
export const DELETE_CODES_REFUSALS = ['CODE_COUNT_OUT_OF_RANGE', 'CODE_NOT_FOUND'] as const;
export type CodeChangeRefusal =
  | (typeof SET_CODE_ENABLED_REFUSALS)[number]
  | (typeof UPDATE_CODE_REFUSALS)[number]
  | (typeof DELETE_CODES_REFUSALS)[number];

export const FREEZE_BATCH_REFUSALS = ['BATCH_NOT_FOUND', 'BATCH_VOIDED', 'BATCH_FROZEN'] as const;
export const UNFREEZE_BATCH_REFUSALS = ['BATCH_NOT_FOUND', 'BATCH_VOIDED', 'BATCH_NOT_FROZEN'] as const;
export const VOID_BATCH_REFUSALS = ['BATCH_NOT_FOUND', 'BATCH_VOIDED'] as const;
export const ACTIVATE_BATCH_REFUSALS = ['BATCH_NOT_FOUND', 'BATCH_VOIDED', 'BATCH_ACTIVE'] as const;
export const EXTEND_BATCH_REFUSALS = [
  'EXPIRY_NOT_ALLOWED',
  'INPUT_NOT_ALLOWED',
  'BATCH_NOT_FOUND',
  'BATCH_VOIDED',
  'EXPIRY_NOT_LATER',
] as const;
export const CANCEL_BATCH_REFUSALS = [
  'BATCH_NOT_FOUND',
  'BATCH_VOIDED',
  'BATCH_READY',
  'BATCH_FAILED',
  'BATCH_CANCELLED',
] as const;
export type BatchRefusal =
  | (typeof CANCEL_BATCH_REFUSALS)[number]
  | (typeof FREEZE_BATCH_REFUSALS)[number]
  | (typeof UNFREEZE_BATCH_REFUSALS)[number]
  | (typeof VOID_BATCH_REFUSALS)[number]
  | (typeof ACTIVATE_BATCH_REFUSALS)[number]
  | (typeof EXTEND_BATCH_REFUSALS)[number];
