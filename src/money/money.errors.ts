import { RECIPIENT_REFUSALS } from '../identity/users/recipient.service.js';
import { VERSION_REFUSALS } from '../platform/database/change-row.js';

/** Why a balance is not changed, in order of precedence. */
export const LEDGER_REFUSALS = [
  'FACILITY_NOT_FOUND',
  'CURRENCY_NOT_FOUND',
  ...RECIPIENT_REFUSALS,
  'ACCOUNT_HALTED',
  'AMOUNT_TOO_PRECISE',
  'ORDER_ID_REUSED',
  'INSUFFICIENT_BALANCE',
  'BALANCE_OUT_OF_RANGE',
] as const;
export type LedgerRefusal = (typeof LEDGER_REFUSALS)[number];

/** Why staff cannot adjust a balance, in order of precedence. */
export const ADJUST_BALANCE_ERROR_CODES = [
  'ORDER_ID_MALFORMED',
  'AMOUNT_MALFORMED',
  'REMARK_MALFORMED',
  'INPUT_NOT_ALLOWED',
  ...LEDGER_REFUSALS,
] as const;

/** Why a transfer is refused, in order of precedence. An order id that is known is answered before all but the first two. */
export const TRANSFER_REFUSALS = [
  'ORDER_ID_MALFORMED',
  'AMOUNT_MALFORMED',
  'ORDER_ID_REUSED',
  'FACILITY_NOT_FOUND',
  'FACILITY_DISABLED',
  'RECIPIENT_NOT_FOUND',
  'RECIPIENT_DISABLED',
  'CURRENCY_NOT_FOUND',
  'CURRENCY_DISABLED',
  'TRANSFER_TO_ONESELF',
  'AMOUNT_TOO_PRECISE',
  'TRANSFER_MAX_EXCEEDED',
  'DAILY_COUNT_EXCEEDED',
  'DAILY_SUM_EXCEEDED',
  'NET_NOT_POSITIVE',
  'ACCOUNT_HALTED',
  'INSUFFICIENT_BALANCE',
  'BALANCE_OUT_OF_RANGE',
] as const;
export type TransferRefusal = (typeof TRANSFER_REFUSALS)[number];

const CURRENCY_TERMS = [
  'FEE_RATE_OUT_OF_RANGE',
  'TRANSFER_MAX_MALFORMED',
  'DAILY_COUNT_OUT_OF_RANGE',
  'DAILY_SUM_MALFORMED',
  'INPUT_NOT_ALLOWED',
] as const;

/** Why a currency cannot be made, in order of precedence. */
export const CREATE_CURRENCY_ERROR_CODES = [
  'CURRENCY_CODE_MALFORMED',
  'CURRENCY_NAME_MALFORMED',
  'CURRENCY_SCALE_OUT_OF_RANGE',
  ...CURRENCY_TERMS,
  'CURRENCY_EXISTS',
] as const;

/** Why a currency is not changed, in order of precedence. */
export const UPDATE_CURRENCY_ERROR_CODES = [
  'CURRENCY_NAME_MALFORMED',
  ...CURRENCY_TERMS,
  'CURRENCY_NOT_FOUND',
  ...VERSION_REFUSALS,
] as const;

/** Why a facility cannot be made, in order of precedence. */
export const CREATE_FACILITY_ERROR_CODES = ['FACILITY_NAME_MALFORMED', 'INPUT_NOT_ALLOWED'] as const;

/** Why a facility is not changed, in order of precedence. */
export const UPDATE_FACILITY_ERROR_CODES = [
  ...CREATE_FACILITY_ERROR_CODES,
  'FACILITY_NOT_FOUND',
  ...VERSION_REFUSALS,
] as const;

/** Why a halted account is not released, in order of precedence. */
export const RELEASE_ACCOUNT_ERROR_CODES = [
  'ACCOUNT_NOT_FOUND',
  'ACCOUNT_NOT_HALTED',
  'ACCOUNT_MISMATCHED',
] as const;
