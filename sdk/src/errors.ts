import type {
  ActivateBatchErrorCode,
  AllocateCodesErrorCode,
  CancelOrderErrorCode,
  CreateDeviceLinkCodeErrorCode,
  CreateUserTokenErrorCode,
  DeviceLoginErrorCode,
  PayOrderErrorCode,
  PlaceOrderErrorCode,
} from './generated/operations.js';

/** What kind of failure an error is; each has a class. */
export type ErrorKind =
  | 'NETWORK'
  | 'UNAVAILABLE'
  | 'RATE_LIMITED'
  | 'UNAUTHENTICATED'
  | 'REFUSED'
  | 'REQUEST'
  | 'ENCRYPTION'
  | 'CURSOR_LOST'
  | 'UNSETTLED';

export interface ErrorFacts {
  readonly cause?: unknown;
  /** Of the server's log, for a report to its operator. */
  readonly requestId?: string | undefined;
  /** Milliseconds until the same call can succeed. */
  readonly retryAfterMs?: number | undefined;
}

/** Everything that the SDK throws, besides the reason of an aborted signal. */
export abstract class RedeemkitError extends Error {
  abstract readonly kind: ErrorKind;
  /** The same call may succeed later. The SDK has repeated it already where that is safe. */
  readonly isRetryable: boolean = false;
  /** As docs/errors.md has it. */
  readonly code: string;
  readonly requestId: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(code: string, message: string, { cause, requestId, retryAfterMs }: ErrorFacts = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.requestId = requestId;
    this.retryAfterMs = retryAfterMs;
  }
}

/** No answer came: `NETWORK_FAILED`, or `TIMED_OUT`. The server may have executed the call. */
export class NetworkError extends RedeemkitError {
  override readonly name = 'NetworkError';
  readonly kind = 'NETWORK';
  override readonly isRetryable = true;
}

/** The server, its stores or a proxy before it could not answer. The call may have been executed. */
export class UnavailableError extends RedeemkitError {
  override readonly name = 'UnavailableError';
  readonly kind = 'UNAVAILABLE';
  override readonly isRetryable = true;
}

/** Too much at once; wait for {@link retryAfterMs}. The call was not executed. */
export class RateLimitedError extends RedeemkitError {
  override readonly name = 'RateLimitedError';
  readonly kind = 'RATE_LIMITED';
  override readonly isRetryable = true;
}

/** There is no token, or its caller may do nothing any more: sign in again. The call was not executed. */
export class UnauthenticatedError extends RedeemkitError {
  override readonly name = 'UnauthenticatedError';
  readonly kind = 'UNAUTHENTICATED';
}

/** Refusals of the mutations that the SDK sends, and any other that one of your own may have. */
export type RefusalCode =
  | ActivateBatchErrorCode
  | AllocateCodesErrorCode
  | CancelOrderErrorCode
  | CreateDeviceLinkCodeErrorCode
  | CreateUserTokenErrorCode
  | DeviceLoginErrorCode
  | PayOrderErrorCode
  | PlaceOrderErrorCode
  | (string & {});

/** The mutation was understood, and the answer is no. */
export class RefusedError extends RedeemkitError {
  override readonly name = 'RefusedError';
  readonly kind = 'REFUSED';
  declare readonly code: RefusalCode;
  /** Path of the input field at fault. */
  readonly field: readonly string[] | null;

  constructor({ code, message, field, retryAfterMs }: Refusal) {
    super(code, message, { retryAfterMs: retryAfterMs ?? undefined });
    this.field = field ?? null;
  }
}

/** The request itself is wrong, or not allowed; repeating it changes nothing. */
export class RequestError extends RedeemkitError {
  override readonly name = 'RequestError';
  readonly kind = 'REQUEST';
}

/** An envelope was refused, or the reply does not open: keys, clock or a proxy. */
export class EncryptionError extends RedeemkitError {
  override readonly name = 'EncryptionError';
  readonly kind = 'ENCRYPTION';
}

/** Events after the cursor are no longer kept. Read the present state, then subscribe without a cursor. */
export class CursorLostError extends RedeemkitError {
  override readonly name = 'CursorLostError';
  readonly kind = 'CURSOR_LOST';
}

/**
 * A redemption whose outcome is not known when the time is up: no answer came, or none that settles it. It is still in
 * the pending store. `resumePending`, or the same call again, settles it with the same key.
 */
export class UnsettledError extends RedeemkitError {
  override readonly name = 'UnsettledError';
  readonly kind = 'UNSETTLED';
  override readonly isRetryable = true;
  readonly idempotencyKey: string;

  constructor(idempotencyKey: string, cause: unknown) {
    super('OUTCOME_UNKNOWN', 'Whether the code was redeemed is not known yet.', { cause });
    this.idempotencyKey = idempotencyKey;
  }
}

/** An object in `errors` of a payload. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly field?: readonly string[] | null;
  readonly retryAfterMs?: number | null;
}

/** The first refusal of a payload that has no result. */
export function refusedError([refusal]: readonly Refusal[]): RefusedError {
  return new RefusedError(refusal ?? { code: 'UNKNOWN', message: 'The answer has no outcome.' });
}

/** An object in the top-level `errors` of an answer. */
export interface GraphqlError {
  readonly message: string;
  readonly extensions?: Readonly<Record<string, unknown>>;
}

type ErrorClass = new (code: string, message: string, facts?: ErrorFacts) => RedeemkitError;

const CLASSES: Readonly<Record<string, ErrorClass>> = {
  UNAUTHENTICATED: UnauthenticatedError,
  SESSION_ENDED: UnauthenticatedError,
  USER_DISABLED: UnauthenticatedError,
  TENANT_NOT_ACTIVE: UnauthenticatedError,
  API_KEY_REVOKED: UnauthenticatedError,
  API_KEY_EXPIRED: UnauthenticatedError,
  PARTNER_DISABLED: UnauthenticatedError,
  NODE_NOT_FOUND: UnauthenticatedError,
  RATE_LIMITED: RateLimitedError,
  TOO_MANY_OPERATIONS: RateLimitedError,
  TOO_MANY_SOCKETS: RateLimitedError,
  SERVICE_UNAVAILABLE: UnavailableError,
  INTERNAL_SERVER_ERROR: UnavailableError,
  REQUEST_TIMEOUT: UnavailableError,
  READ_TIMED_OUT: UnavailableError,
  SECRET_IS_EMPTY: EncryptionError,
  INVALID_CIPHERTEXT: EncryptionError,
  ENVELOPE_EXPIRED: EncryptionError,
  ENVELOPE_REPLAYED: EncryptionError,
  CURSOR_EXPIRED: CursorLostError,
  CURSOR_UNKNOWN: CursorLostError,
  CURSOR_MALFORMED: CursorLostError,
};

/** The error of the class that its code has; an unknown code means that the request is wrong. */
export function errorOf({ message, extensions = {} }: GraphqlError, facts: ErrorFacts = {}): RedeemkitError {
  const { code, requestId, retryAfterMs } = extensions;
  const name = typeof code === 'string' ? code : 'UNKNOWN';
  const waitMs = typeof retryAfterMs === 'number' ? retryAfterMs : facts.retryAfterMs;
  const id = typeof requestId === 'string' ? requestId : facts.requestId;
  return new (CLASSES[name] ?? RequestError)(name, message, {
    ...facts,
    requestId: id,
    retryAfterMs: waitMs,
  });
}
