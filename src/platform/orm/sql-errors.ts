const DUPLICATE_KEY = 1062;

/**
 * After these nothing of the transaction may stand, whatever part of it the server itself undid:
 * 1213 deadlock, 1205 lock wait time-out, 1020 record changed since last read (MariaDB's snapshot isolation),
 * 3101 the group refused the commit (MySQL Group Replication).
 */
const RETRYABLE: ReadonlySet<number> = new Set([1213, 1205, 1020, 3101]);

/** How deep a chain of causes is followed; a cycle ends here too. */
const CAUSES_MAX = 10;

/**
 * A transaction met a deadlock or gave up a lock, and somebody caught the error. The server may have undone
 * everything before it, savepoints included, so no statement may follow: it would run in autocommit.
 */
export class DoomedTransactionError extends Error {
  override readonly name = 'DoomedTransactionError';

  constructor(cause: unknown) {
    super('The transaction is doomed by an earlier error and must be run anew.', { cause });
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
  let current = error;
  for (let depth = 0; depth < CAUSES_MAX && typeof current === 'object' && current !== null; depth += 1) {
    // Node's own errors have negative numbers; those of the network say nothing about the transaction.
    if ('errno' in current && typeof current.errno === 'number' && current.errno > 0) return current.errno;
    current = 'cause' in current ? current.cause : null;
  }
  return null;
}

/** True where the whole transaction can be run anew, on a fresh entity manager. */
export function isRetryable(error: unknown): boolean {
  const errno = mysqlErrno(error);
  return errno !== null && RETRYABLE.has(errno);
}

export function isDuplicateKey(error: unknown): boolean {
  return mysqlErrno(error) === DUPLICATE_KEY;
}

const AWAY = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOENT',
  'PROTOCOL_CONNECTION_LOST',
  'ER_CON_COUNT_ERROR',
  'ER_SERVER_SHUTDOWN',
  'ER_SERVER_SHUTTING_DOWN',
]);

/** The session was ended (1927, 4031), or its server has become a replica (1290, 1836); the driver names not all of them. */
const AWAY_ERRNO: ReadonlySet<number> = new Set([1290, 1836, 1927, 4031]);

/** The driver's own words for a connection that was broken when a statement was to be sent; they come without a code. */
function brokeConnection(error: object): boolean {
  const isFatal = 'fatal' in error && error.fatal === true;
  return isFatal && !('errno' in error && typeof error.errno === 'number' && error.errno > 0);
}

/** The server cannot be reached at all, or said that it goes away; nothing is known to be wrong with the work. */
export function isServerAway(error: unknown): boolean {
  let current = error;
  for (let depth = 0; depth < CAUSES_MAX && typeof current === 'object' && current !== null; depth += 1) {
    if ('code' in current && typeof current.code === 'string' && AWAY.has(current.code)) return true;
    if (brokeConnection(current)) return true;
    current = 'cause' in current ? current.cause : null;
  }
  const errno = mysqlErrno(error);
  return error instanceof CommitUnknownError || (errno !== null && AWAY_ERRNO.has(errno));
}
