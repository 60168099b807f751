const DUPLICATE_KEY = 1062;
/** The statement ran for longer than its session allows: MariaDB's number and MySQL's. */
const STATEMENT_TIMEOUT: ReadonlySet<number> = new Set([1969, 3024]);

/**
 * After these nothing of the transaction may stand, whatever part of it the server itself undid:
 * 1213 deadlock, 1205 lock wait time-out, 1020 record changed since last read (MariaDB's snapshot isolation),
 * 3101 the group refused the commit (MySQL Group Replication).
 */
const RETRYABLE: ReadonlySet<number> = new Set([1213, 1205, 1020, 3101]);

/** How deep a chain of causes is followed; a cycle ends here too. */
const CAUSES_MAX = 10;

/**
 * A transaction met a deadlock or a lock timeout, and a caller caught the error. The server may have undone
 * everything before it, savepoints included, so no statement may follow: it would run in autocommit.
 */
export class AbortedTransactionError extends Error {
  override readonly name = 'AbortedTransactionError';

  constructor(cause: unknown) {
    super('The transaction is aborted by an earlier error and must be run again.', { cause });
  }
}

/** COMMIT was sent and no verdict came back: the transaction may stand or not. Ask by primary key, or run it again with the same ids. */
export class CommitUnknownError extends Error {
  override readonly name = 'CommitUnknownError';

  constructor(cause: unknown) {
    super('The connection was lost while committing; the outcome is unknown.', { cause });
  }
}

/** The server's error number, of the error itself or of what caused it; null for faults that no server reported. */
export function mysqlErrno(error: unknown): number | null {
  for (const cause of causesOf(error)) {
    // Node's own errors have negative numbers; those of the network say nothing about the transaction.
    if ('errno' in cause && typeof cause.errno === 'number' && cause.errno > 0) return cause.errno;
  }
  return null;
}

function hasErrno(error: unknown, errnos: ReadonlySet<number>): boolean {
  return errnos.has(mysqlErrno(error) ?? 0);
}

/** True where the whole transaction can be run again, on a fresh entity manager. */
export function isRetryable(error: unknown): boolean {
  return hasErrno(error, RETRYABLE);
}

export function isDuplicateKey(error: unknown): boolean {
  return mysqlErrno(error) === DUPLICATE_KEY;
}

export function isStatementTimeout(error: unknown): boolean {
  return hasErrno(error, STATEMENT_TIMEOUT);
}

/** The connection ended, and the server with it or not. */
const LOST = new Set([
  'ECONNRESET',
  'EPIPE',
  'PROTOCOL_CONNECTION_LOST',
  'ER_SERVER_SHUTDOWN',
  'ER_SERVER_SHUTTING_DOWN',
]);
/**
 * The server takes no writes any more: 1290 and 1836 it has become a replica, 1792 its sessions may only read, 1047 it
 * is a node of Galera without the majority of its cluster, and carries nothing out.
 */
const READ_ONLY_ERRNO: ReadonlySet<number> = new Set([1290, 1792, 1836, 1047]);

/**
 * The session was ended: 1927 killed, 4031 silent for too long; the driver names not all of them. Or it is of no use:
 * a session on a server that takes no writes is ended by this side (`pool-bounds.ts`).
 */
const LOST_ERRNO: ReadonlySet<number> = new Set([1927, 4031, ...READ_ONLY_ERRNO]);

/** A statement for a connection that had ended before; the driver says so without any code. */
class ConnectionEndedError extends Error {
  override readonly name = 'ConnectionEndedError';
  readonly code = 'PROTOCOL_CONNECTION_LOST';

  constructor(cause: unknown) {
    super('The connection had ended before this statement.', { cause });
  }
}

/** What the driver says of a connection that has ended, by a name. */
export function namedError(error: unknown): unknown {
  const isFatal = error instanceof Error && 'fatal' in error && error.fatal === true;
  return isFatal && !('code' in error) ? new ConnectionEndedError(error) : error;
}

/** The connection was lost, and no COMMIT had been sent over it: whatever it did is undone. */
export function isLostBeforeCommit(error: unknown): boolean {
  const causes = causesOf(error);
  if (causes.some((cause) => cause instanceof CommitUnknownError)) return false;
  return causes.some((cause) => hasCode(cause, LOST)) || hasErrno(error, LOST_ERRNO);
}

/** The connection leads to a server that takes no writes; the one that does may be found by a new connection. */
export function isReadOnly(error: unknown): boolean {
  return hasErrno(error, READ_ONLY_ERRNO);
}

const AWAY = new Set([...LOST, 'ECONNREFUSED', 'ETIMEDOUT', 'ENOENT', 'ER_CON_COUNT_ERROR']);

/** The server cannot be reached at all, or said that it goes away; nothing is known to be wrong with the work. */
export function isServerAway(error: unknown): boolean {
  return (
    error instanceof CommitUnknownError ||
    causesOf(error).some((cause) => hasCode(cause, AWAY)) ||
    hasErrno(error, LOST_ERRNO)
  );
}

function hasCode(error: object, codes: ReadonlySet<string>): boolean {
  return 'code' in error && typeof error.code === 'string' && codes.has(error.code);
}

/** The error and what caused it. */
function causesOf(error: unknown): object[] {
  const causes: object[] = [];
  let current = error;
  while (causes.length < CAUSES_MAX && typeof current === 'object' && current !== null) {
    causes.push(current);
    current = 'cause' in current ? current.cause : null;
  }
  return causes;
}
