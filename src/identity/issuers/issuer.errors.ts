import { VERSION_REFUSALS } from '../../platform/database/change-row.js';

/** Why the issuer of a tenant's user tokens is not set, in order of precedence. */
export const SET_USER_TOKEN_ISSUER_REFUSALS = [
  'ISSUER_NOT_ALLOWED',
  'AUDIENCE_NOT_ALLOWED',
  'JWKS_URL_NOT_ALLOWED',
  'TAGS_CLAIM_NOT_ALLOWED',
  'INPUT_NOT_ALLOWED',
  'JWKS_HOST_NOT_ALLOWED',
  ...VERSION_REFUSALS,
  'ISSUER_TAKEN',
] as const;
export type SetUserTokenIssuerRefusal = (typeof SET_USER_TOKEN_ISSUER_REFUSALS)[number];
