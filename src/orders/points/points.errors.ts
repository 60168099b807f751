import { RECIPIENT_REFUSALS } from '../../identity/users/recipient.service.js';

/** Why points are not spent on an order. */
export const POINTS_REFUSALS = ['INSUFFICIENT_POINTS'] as const;
export type PointsRefusal = (typeof POINTS_REFUSALS)[number];

/** Why staff grant no points, in order of precedence. */
export const GRANT_POINTS_REFUSALS = [
  'IDEMPOTENCY_KEYS_DIFFER',
  'POINTS_OUT_OF_RANGE',
  'VALID_DAYS_OUT_OF_RANGE',
  'POINTS_EXPIRY_NOT_ALLOWED',
  'IDEMPOTENCY_KEY_MALFORMED',
  'INPUT_NOT_ALLOWED',
  'IDEMPOTENCY_KEY_REUSED',
  ...RECIPIENT_REFUSALS,
  'POINTS_EXPIRY_PAST',
] as const;
export type GrantPointsRefusal = (typeof GRANT_POINTS_REFUSALS)[number];
