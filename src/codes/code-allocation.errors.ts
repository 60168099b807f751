import { TENANT_REFUSALS } from '../tenancy/tenant.service.js';

/** Why a campaign's pool is not set, in order of precedence. */
export const SET_CODE_POOL_REFUSALS = [
  'POOL_SIZE_OUT_OF_RANGE',
  'INPUT_NOT_ALLOWED',
  'CAMPAIGN_NOT_FOUND',
  'CAMPAIGN_ENDED',
  'POOL_NEEDS_VISIBLE_CODES',
] as const;
export type SetCodePoolRefusal = (typeof SET_CODE_POOL_REFUSALS)[number];

/** Why no codes are handed out, in order of precedence. */
export const ALLOCATE_CODES_REFUSALS = [
  'IDEMPOTENCY_KEYS_DIFFER',
  'CODE_COUNT_OUT_OF_RANGE',
  'RECEIVER_NOT_ALLOWED',
  'IDEMPOTENCY_KEY_MALFORMED',
  'INPUT_NOT_ALLOWED',
  'IDEMPOTENCY_KEY_REUSED',
  'CAMPAIGN_NOT_FOUND',
  'CAMPAIGN_ENDED',
  'USER_NOT_FOUND',
  'POOL_EXHAUSTED',
] as const;
export type AllocateCodesRefusal = (typeof ALLOCATE_CODES_REFUSALS)[number];

/** Why chosen codes are not added, in order of precedence. */
export const ADD_CODES_REFUSALS = [
  'IDEMPOTENCY_KEYS_DIFFER',
  'CODE_COUNT_OUT_OF_RANGE',
  'CODE_TEXT_NOT_ALLOWED',
  'USE_LIMIT_OUT_OF_RANGE',
  'IDEMPOTENCY_KEY_MALFORMED',
  'INPUT_NOT_ALLOWED',
  'CODES_REPEATED',
  'IDEMPOTENCY_KEY_REUSED',
  ...TENANT_REFUSALS,
  'CAMPAIGN_NOT_FOUND',
  'CAMPAIGN_ENDED',
  'USER_NOT_FOUND',
  'CODE_EXISTS',
  'CODE_SPACE_TOO_SMALL',
] as const;
export type AddCodesRefusal = (typeof ADD_CODES_REFUSALS)[number];
