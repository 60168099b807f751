import { VERSION_REFUSALS } from '../platform/database/change-row.js';

const TERM_ERROR_CODES = [
  'PLAN_TRAFFIC_OUT_OF_RANGE',
  'PLAN_DEVICE_LIMIT_OUT_OF_RANGE',
  'PLAN_QUOTA_OUT_OF_RANGE',
  'PLAN_INVENTORY_OUT_OF_RANGE',
  'PLAN_NODES_MALFORMED',
  'PLAN_RESET_CYCLE_UNKNOWN',
  'INPUT_NOT_ALLOWED',
] as const;

/** Why a plan cannot be made, in order of precedence. */
export const CREATE_PLAN_ERROR_CODES = [
  'PLAN_NAME_MALFORMED',
  'PLAN_PRICE_MALFORMED',
  'PLAN_CURRENCY_MALFORMED',
  'PLAN_UNIT_UNKNOWN',
  ...TERM_ERROR_CODES,
] as const;

/** Why a plan is not changed, in order of precedence. */
export const UPDATE_PLAN_ERROR_CODES = [
  'PLAN_NAME_MALFORMED',
  'PLAN_PRICE_MALFORMED',
  'PLAN_CURRENCY_MALFORMED',
  ...TERM_ERROR_CODES,
  'PLAN_NOT_FOUND',
  ...VERSION_REFUSALS,
] as const;
