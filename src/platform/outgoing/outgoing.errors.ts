/** Why a request has no answer. */
export const OUTGOING_FAILURES = [
  /** Not an absolute `https:` URL without credentials, or an address that is not public. Nothing was sent. */
  'URL_NOT_ALLOWED',
  'ADDRESS_NOT_ALLOWED',
  'NAME_NOT_RESOLVED',
  'CONNECTION_FAILED',
  'TLS_FAILED',
  'TIMED_OUT',
  'RESPONSE_TOO_LARGE',
] as const;
export type OutgoingFailure = (typeof OUTGOING_FAILURES)[number];

/** A request that got no whole answer. The message names neither the URL nor the address. */
export class OutgoingError extends Error {
  override readonly name = 'OutgoingError';

  constructor(
    readonly failure: OutgoingFailure,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
