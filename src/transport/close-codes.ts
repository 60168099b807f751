import { CloseCode } from 'graphql-ws';

/**
 * Every code with which this server closes a socket, besides 1009 of ws itself for a message that is too big. 4400 to
 * 4499 are the caller's doing; after 4403 or 4430 a client may reconnect, with a new token or later.
 */
export const SocketCloseCode = {
  ...CloseCode,
  /** The process is shutting down: connect again, to another one. */
  GoingAway: 1001,
  /** The caller has too many sockets at this process, or its address too many without a token. */
  TooManySockets: 4430,
  /** The caller does not read what is sent to it, or far too slowly. */
  SlowReader: 4431,
  /** More messages a second than a socket may send. */
  TooManyMessages: 4432,
} as const;
