/** Why a token was refused. Answers say no more than this, so that forgeries cannot be tuned by them. */
export type TokenFault = 'EXPIRED' | 'KEY_UNKNOWN' | 'NOT_VALID';

const MESSAGES: Record<TokenFault, string> = {
  EXPIRED: 'The token has expired. Sign in again.',
  KEY_UNKNOWN: 'The token was signed with a key that is not in use here. Sign in again.',
  NOT_VALID: 'The token is not valid.',
};

/** A token that proves nothing. */
export class TokenError extends Error {
  override readonly name = 'TokenError';

  constructor(
    readonly fault: TokenFault,
    options?: ErrorOptions,
  ) {
    super(MESSAGES[fault], options);
  }
}
