import { DomainError, type RefusalDetails } from '../../platform/errors.js';
import { VERSION_REFUSALS } from '../../platform/database/change-row.js';
import { REFRESH_SESSION_REFUSALS } from '../sessions/session.service.js';

/** Shared by several: attempts are blocked for a while. */
const TRY_REFUSALS = ['TOO_MANY_ATTEMPTS', 'BUSY'] as const;

export const SIGN_IN_STAFF_REFUSALS = [
  'TENANT_REQUIRED',
  ...TRY_REFUSALS,
  'SIGN_IN_REFUSED',
  'TOTP_REQUIRED',
] as const;
export const BEGIN_OIDC_REFUSALS = ['TENANT_REQUIRED', 'OIDC_OFF', 'BUSY', 'PROVIDER_UNAVAILABLE'] as const;
export const COMPLETE_OIDC_REFUSALS = [
  'OIDC_OFF',
  'FLOW_UNKNOWN',
  'BUSY',
  'PROVIDER_UNAVAILABLE',
  'PROVIDER_REFUSED',
  'SIGN_IN_REFUSED',
] as const;
export const REFRESH_STAFF_SESSION_REFUSALS = REFRESH_SESSION_REFUSALS;
export const SIGN_OUT_STAFF_REFUSALS = ['ACCOUNT_REQUIRED'] as const;
export const INVITE_STAFF_REFUSALS = [
  'EMAIL_NOT_ALLOWED',
  'NAME_NOT_ALLOWED',
  'INPUT_NOT_ALLOWED',
  'STAFF_EXISTS',
] as const;
export const RESET_STAFF_REFUSALS = ['STAFF_NOT_FOUND', 'STAFF_DISABLED', 'LAST_OWNER'] as const;
export const ACCEPT_INVITATION_REFUSALS = [
  'PASSWORD_NOT_ALLOWED',
  ...TRY_REFUSALS,
  'INVITATION_UNKNOWN',
  'INVITATION_EXPIRED',
] as const;
export const UPDATE_STAFF_REFUSALS = [
  'NAME_NOT_ALLOWED',
  'INPUT_NOT_ALLOWED',
  'STAFF_NOT_FOUND',
  'LAST_OWNER',
  ...VERSION_REFUSALS,
  'STAFF_INVITED',
] as const;
export const CHANGE_STAFF_PASSWORD_REFUSALS = [
  'ACCOUNT_REQUIRED',
  'PASSWORD_NOT_ALLOWED',
  ...TRY_REFUSALS,
  'PASSWORD_WRONG',
] as const;
export const ENROL_SECOND_FACTOR_REFUSALS = [
  'ACCOUNT_REQUIRED',
  ...TRY_REFUSALS,
  'PASSWORD_WRONG',
  'SECOND_FACTOR_EXISTS',
] as const;
export const CONFIRM_SECOND_FACTOR_REFUSALS = [
  'ACCOUNT_REQUIRED',
  ...TRY_REFUSALS,
  'ENROLMENT_REQUIRED',
  'TOTP_CODE_WRONG',
] as const;
export const REMOVE_SECOND_FACTOR_REFUSALS = [
  'ACCOUNT_REQUIRED',
  ...TRY_REFUSALS,
  'PASSWORD_WRONG',
  'SECOND_FACTOR_MISSING',
  'TOTP_CODE_WRONG',
] as const;

export const REGENERATE_RECOVERY_CODES_REFUSALS = [...REMOVE_SECOND_FACTOR_REFUSALS] as const;

const MESSAGES = {
  TENANT_REQUIRED: 'Say which tenant you belong to: by tenantId or the header x-tenant-id.',
  SIGN_IN_REFUSED: 'The e-mail address, the password or the code is wrong, or the account may not sign in.',
  TOTP_REQUIRED: 'Send the code of your authenticator app as totpCode.',
  OIDC_OFF: 'This installation has no sign-in provider. Sign in with your password.',
  FLOW_UNKNOWN: 'This sign-in was not begun here, or more than ten minutes ago. Begin again.',
  PROVIDER_REFUSED: 'The sign-in provider did not confirm who you are. Begin again.',
  ACCOUNT_REQUIRED: 'This needs a sign-in with an account. A token that an operator made has none.',
  STAFF_EXISTS: 'There is an account with this e-mail address.',
  STAFF_NOT_FOUND: 'The tenant has no member of staff with this id.',
  STAFF_INVITED: 'The invitation has not been accepted yet, so there is nothing to enable.',
  STAFF_DISABLED: 'The account is DISABLED. Enable it first.',
  LAST_OWNER: 'This is the last active OWNER of the tenant. Make somebody else an OWNER first.',
  INVITATION_UNKNOWN: 'This invitation was used, replaced or never made. Ask an OWNER for a new one.',
  INVITATION_EXPIRED: 'This invitation has expired. Ask an OWNER for a new one.',
  PASSWORD_WRONG: 'The password is wrong.',
  SECOND_FACTOR_EXISTS: 'The account has a second factor. Remove it first.',
  SECOND_FACTOR_MISSING: 'The account has no second factor.',
  ENROLMENT_REQUIRED: 'Begin with enrolSecondFactor, and add its secret to your authenticator app.',
  TOTP_CODE_WRONG: 'The code is wrong, or was used before. Wait for the next one.',
} as const;
export type StaffRefusal = keyof typeof MESSAGES;

const FIELDS: Partial<Record<StaffRefusal, string>> = {
  TENANT_REQUIRED: 'tenantId',
  TOTP_REQUIRED: 'totpCode',
  FLOW_UNKNOWN: 'flowToken',
  PROVIDER_REFUSED: 'callbackUrl',
  STAFF_EXISTS: 'email',
  STAFF_NOT_FOUND: 'staffId',
  INVITATION_UNKNOWN: 'invitationToken',
  INVITATION_EXPIRED: 'invitationToken',
  TOTP_CODE_WRONG: 'totpCode',
};

/** The refusal as an error, about the field that it concerns. */
export function staffRefusal(code: StaffRefusal): DomainError<StaffRefusal> {
  const field = FIELDS[code];
  const details: RefusalDetails = field === undefined ? {} : { field: ['input', field] };
  return new DomainError(code, MESSAGES[code], details);
}

export function tooManyAttempts(retryAfterMs: number): DomainError {
  return new DomainError('TOO_MANY_ATTEMPTS', 'Too many attempts have failed. Wait, then try again.', {
    retryAfterMs,
  });
}
