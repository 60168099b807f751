import { RECIPIENT_REFUSALS } from '../../identity/users/recipient.service.js';
import { VERSION_REFUSALS } from '../../platform/database/change-row.js';

/** Why coupons are not applied to an order, in order of precedence. */
export const COUPON_REFUSALS = [
  'COUPON_COUNT_OUT_OF_RANGE',
  'COUPON_REPEATED',
  'COUPON_NOT_FOUND',
  'COUPON_NOT_AVAILABLE',
  'COUPON_EXPIRED',
  'COUPON_CURRENCY_MISMATCH',
  'COUPON_BELOW_THRESHOLD',
] as const;
export type CouponRefusal = (typeof COUPON_REFUSALS)[number];

/** Why a coupon template is not made, in order of precedence. */
export const CREATE_COUPON_TEMPLATE_REFUSALS = [
  'NAME_NOT_ALLOWED',
  'COUPON_KIND_UNKNOWN',
  'CURRENCY_NOT_ALLOWED',
  'COUPON_AMOUNT_NOT_ALLOWED',
  'COUPON_MINIMUM_NOT_ALLOWED',
  'COUPON_RATE_NOT_ALLOWED',
  'ISSUE_LIMIT_OUT_OF_RANGE',
  'VALID_DAYS_OUT_OF_RANGE',
  'WINDOW_NOT_ALLOWED',
  'INPUT_NOT_ALLOWED',
  'CURRENCY_NOT_FOUND',
  'AMOUNT_TOO_PRECISE',
] as const;
export type CreateCouponTemplateRefusal = (typeof CREATE_COUPON_TEMPLATE_REFUSALS)[number];

/** Why a coupon template is not changed, in order of precedence. */
export const UPDATE_COUPON_TEMPLATE_REFUSALS = [
  'NAME_NOT_ALLOWED',
  'ISSUE_LIMIT_OUT_OF_RANGE',
  'VALID_DAYS_OUT_OF_RANGE',
  'WINDOW_NOT_ALLOWED',
  'INPUT_NOT_ALLOWED',
  'COUPON_TEMPLATE_NOT_FOUND',
  ...VERSION_REFUSALS,
  'ISSUE_LIMIT_BELOW_ISSUED',
] as const;
export type UpdateCouponTemplateRefusal = (typeof UPDATE_COUPON_TEMPLATE_REFUSALS)[number];

/** Why a template gives no coupons at the moment, in order of precedence. */
export const COUPON_TEMPLATE_REFUSALS = [
  'COUPON_TEMPLATE_DISABLED',
  'COUPON_TEMPLATE_NOT_STARTED',
  'COUPON_TEMPLATE_ENDED',
  'ISSUE_LIMIT_REACHED',
] as const;
export type CouponTemplateRefusal = (typeof COUPON_TEMPLATE_REFUSALS)[number];

/** Why staff issue no coupon, in order of precedence. */
export const ISSUE_COUPON_REFUSALS = [
  'IDEMPOTENCY_KEYS_DIFFER',
  'COUPON_COUNT_OUT_OF_RANGE',
  'IDEMPOTENCY_KEY_MALFORMED',
  'INPUT_NOT_ALLOWED',
  'IDEMPOTENCY_KEY_REUSED',
  ...RECIPIENT_REFUSALS,
  'COUPON_TEMPLATE_NOT_FOUND',
  ...COUPON_TEMPLATE_REFUSALS,
] as const;
export type IssueCouponRefusal = (typeof ISSUE_COUPON_REFUSALS)[number];
