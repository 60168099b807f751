/**
 * Every code with which this server closes a socket. 4400 to 4499 are the caller's doing, as the protocol
 * graphql-transport-ws has them; a client that is told 4403 or 4430 may come back, with a new token or later.
 */
export const SocketCloseCode = {
  /** The process is shutting down: connect again, to another one. */
  GOING_AWAY: 1001,
  /** A message is larger than the limit for HTTP bodies. Sent by ws itself. */
  MESSAGE_TOO_BIG: 1009,
  /** A message that is no message of the protocol. */
  BAD_REQUEST: 4400,
  /** An operation before the connection was acknowledged. */
  UNAUTHORIZED: 4401,
  /** The token is not valid, or has expired. */
  FORBIDDEN: 4403,
  SUBPROTOCOL_NOT_ACCEPTABLE: 4406,
  /** No `connection_init` in time. */
  INIT_TIMEOUT: 4408,
  /** Two operations with one id. */
  SUBSCRIBER_ALREADY_EXISTS: 4409,
  /** A second `connection_init`. */
  TOO_MANY_INITS: 4429,
  /** The caller has too many sockets at this process, or its address too many without a token. */
  TOO_MANY_SOCKETS: 4430,
  /** The caller does not read what is sent to it, or far too slowly. */
  SLOW_READER: 4431,
  /** More messages a second than a socket may send. */
  TOO_MANY_MESSAGES: 4432,
  INTERNAL_ERROR: 4500,
} as const;
