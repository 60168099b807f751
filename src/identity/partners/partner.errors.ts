import { VERSION_REFUSALS } from '../../platform/database/change-row.js';

/** Why a partner is not made, in order of precedence. */
export const CREATE_PARTNER_REFUSALS = [
  'PARTNER_NAME_NOT_ALLOWED',
  'PARTNER_LIMIT_REACHED',
  'PARTNER_EXISTS',
] as const;
export type CreatePartnerRefusal = (typeof CREATE_PARTNER_REFUSALS)[number];

/** Why a partner is not changed, in order of precedence. */
export const UPDATE_PARTNER_REFUSALS = [
  'PARTNER_NAME_NOT_ALLOWED',
  'INPUT_NOT_ALLOWED',
  'PARTNER_NOT_FOUND',
  ...VERSION_REFUSALS,
  'PARTNER_EXISTS',
] as const;
export type UpdatePartnerRefusal = (typeof UPDATE_PARTNER_REFUSALS)[number];

/** Why a partner gets no key, in order of precedence. */
export const CREATE_API_KEY_REFUSALS = [
  'KEY_NAME_NOT_ALLOWED',
  'SCOPES_NOT_ALLOWED',
  'PRODUCT_CODES_NOT_ALLOWED',
  'EXPIRY_NOT_ALLOWED',
  'INPUT_NOT_ALLOWED',
  'PARTNER_NOT_FOUND',
  'PRODUCT_LINE_NOT_FOUND',
  'API_KEY_LIMIT_REACHED',
] as const;
export type CreateApiKeyRefusal = (typeof CREATE_API_KEY_REFUSALS)[number];

/** Why a key is not revoked. */
export const REVOKE_API_KEY_REFUSALS = ['API_KEY_NOT_FOUND'] as const;
export type RevokeApiKeyRefusal = (typeof REVOKE_API_KEY_REFUSALS)[number];

/** Why a manifest is refused, all of it, in order of precedence. */
export const REGISTER_OPERATIONS_REFUSALS = [
  'MANIFEST_TOO_LARGE',
  'MANIFEST_MALFORMED',
  'INPUT_NOT_ALLOWED',
  'OPERATION_NOT_ALLOWED',
  'PARTNER_NOT_FOUND',
  ...VERSION_REFUSALS,
] as const;
export type RegisterOperationsRefusal = (typeof REGISTER_OPERATIONS_REFUSALS)[number];
