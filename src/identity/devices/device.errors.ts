import { DomainError, type RefusalDetails } from '../../platform/errors.js';
import { VERSION_REFUSALS } from '../../platform/database/change-row.js';

/** Why a device does not sign in, in order of precedence. */
export const DEVICE_LOGIN_REFUSALS = [
  'IDENTIFIER_NOT_ALLOWED',
  'SHORT_CODE_NOT_ALLOWED',
  'SECRET_NOT_ALLOWED',
  'INPUT_NOT_ALLOWED',
  'TENANT_REQUIRED',
  'TENANT_NOT_ACTIVE',
  'DEVICE_LOGIN_DISABLED',
  'CAPTCHA_REQUIRED',
  'CAPTCHA_REFUSED',
  'SIGN_UP_LIMIT_REACHED',
  'LINK_CODE_NOT_FOUND',
  'DEVICE_BOUND_ELSEWHERE',
  'DEVICE_SECRET_REQUIRED',
  'DEVICE_SECRET_WRONG',
  'USER_DISABLED',
  'DEVICE_DISABLED',
  'DEVICE_LIMIT_REACHED',
  'SERVICE_UNAVAILABLE',
] as const;
/** Why a session of a device is not continued, in order of precedence. */
export const REFRESH_DEVICE_SESSION_REFUSALS = [
  'REFRESH_TOKEN_UNKNOWN',
  'TENANT_NOT_ACTIVE',
  'DEVICE_LOGIN_DISABLED',
  'USER_DISABLED',
  'DEVICE_DISABLED',
  'SESSION_ENDED',
  'REFRESH_TOKEN_REUSED',
] as const;
/** Why a device is not signed out. */
export const SIGN_OUT_DEVICE_REFUSALS = ['DEVICE_SESSION_REQUIRED'] as const;
/** Why there is no code for a further device, in order of precedence. */
export const CREATE_DEVICE_LINK_CODE_REFUSALS = [
  'USER_REQUIRED',
  'USER_NOT_FOUND',
  'USER_DISABLED',
  'TOO_MANY_LINK_CODES',
] as const;
/** Why a device stays bound, in order of precedence. */
export const UNBIND_DEVICE_REFUSALS = ['DEVICE_NOT_FOUND', 'USER_WOULD_BE_ORPHANED'] as const;
/** Why a device is neither enabled nor disabled, in order of precedence. */
export const SET_DEVICE_ENABLED_REFUSALS = ['DEVICE_NOT_FOUND', ...VERSION_REFUSALS] as const;

type DeviceRefusal =
  | (typeof DEVICE_LOGIN_REFUSALS)[number]
  | (typeof REFRESH_DEVICE_SESSION_REFUSALS)[number]
  | (typeof SIGN_OUT_DEVICE_REFUSALS)[number]
  | (typeof CREATE_DEVICE_LINK_CODE_REFUSALS)[number]
  | (typeof UNBIND_DEVICE_REFUSALS)[number]
  | (typeof SET_DEVICE_ENABLED_REFUSALS)[number];

const MESSAGES: Partial<Record<DeviceRefusal, string>> = {
  TENANT_REQUIRED: 'Say whose device this is: send the header x-tenant-id.',
  TENANT_NOT_ACTIVE: 'This tenant does not exist or is disabled. Ask the operator of the installation.',
  DEVICE_LOGIN_DISABLED: 'The sign-in by device is switched off. Ask the support of the app or site.',
  CAPTCHA_REQUIRED: 'Solve the captcha, and send its answer as captchaToken.',
  CAPTCHA_REFUSED: 'The answer to the captcha was not accepted. Solve a new one.',
  SIGN_UP_LIMIT_REACHED: 'Too many devices have signed up from this address. Try again later.',
  LINK_CODE_NOT_FOUND:
    'There is no such code to link a device, or it was used or has expired. Ask for a new one.',
  DEVICE_BOUND_ELSEWHERE: 'The device belongs to another user. Unbind it there first.',
  DEVICE_SECRET_REQUIRED:
    'The device is known: send the secret that it signed up with, or sign in with a link code of its user.',
  DEVICE_SECRET_WRONG:
    'This is not the secret that the device signed up with. Without it, sign in with a link code of its user.',
  USER_DISABLED: 'This account is disabled. Ask the support of the app or site.',
  DEVICE_DISABLED: 'This device is disabled. Ask the support of the app or site.',
  DEVICE_LIMIT_REACHED: 'The user has as many devices as allowed. Unbind one of them first.',
  SERVICE_UNAVAILABLE: 'The captcha could not be checked. Try again.',
  DEVICE_SESSION_REQUIRED: 'The token does not come from a sign-in by device, so it cannot be signed out.',
  USER_REQUIRED: 'Name the user whom the device is to join.',
  USER_NOT_FOUND: 'The tenant has no user with this id.',
  TOO_MANY_LINK_CODES:
    'The user has as many open link codes as allowed. Use one, or wait until one has expired.',
  DEVICE_NOT_FOUND: 'There is no bound device with this id.',
};

export function refusal(code: DeviceRefusal, details: RefusalDetails = {}, message?: string): DomainError {
  return new DomainError(code, message ?? MESSAGES[code] ?? code, details);
}

export function refuse(code: DeviceRefusal, field?: string): never {
  throw refusal(code, field === undefined ? {} : { field: ['input', field] });
}
