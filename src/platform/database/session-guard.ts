import {
  CommitUnknownError,
  AbortedTransactionError,
  isLostBeforeCommit,
  isReadOnly,
  isRetryable,
  namedError,
} from './sql-errors.js';

/** What the query builder below the ORM sends statements through; one for each physical connection. */
export interface Session {
  executeQuery(query: SessionQuery, ...rest: unknown[]): Promise<unknown>;
  streamQuery(query: SessionQuery, ...rest: unknown[]): AsyncIterableIterator<unknown>;
}

interface SessionQuery {
  readonly sql: string;
  readonly parameters: readonly unknown[];
}

/** Sends a statement, with others in front of it in the same message. */
type Send = (prefix?: string) => Promise<unknown>;

/** The answer to what was not sent. */
const NOTHING = { rows: [] };

/** One result among several, in the form in which the query builder gives it alone. */
function resultOf(answer: unknown): unknown {
  if (Array.isArray(answer)) return { rows: answer as unknown[] };
  const { insertId, affectedRows, changedRows } = answer as Record<string, number>;
  const isMade = insertId !== undefined && insertId !== 0;
  return {
    insertId: isMade ? BigInt(insertId) : undefined,
    numAffectedRows: BigInt(affectedRows ?? 0),
    numChangedRows: BigInt(changedRows ?? 0),
    rows: [],
  };
}

const guards = new WeakMap<object, SessionGuard>();

/**
 * Stands in front of a connection and keeps the rule that the ORM cannot keep: after a deadlock or a lock
 * timeout inside a transaction, or after its connection was lost, nothing but ROLLBACK passes, even if the error was
 * caught. Every statement goes through here (units of work, raw SQL, savepoints), so no caller can forget it.
 */
export class SessionGuard {
  private open = false;
  /** BEGIN was asked for and is yet to be sent, together with the first statement. */
  private beginIsDue = false;
  /** The error that aborted the open transaction. */
  abortCause: unknown = null;

  static of(session: object): SessionGuard | undefined {
    return guards.get(session);
  }

  private constructor(private readonly severalStatements: boolean) {}

  /** @param severalStatements whether a message to the server may hold several; then BEGIN goes with the first */
  static install(session: Session, severalStatements: boolean): SessionGuard {
    const guard = new SessionGuard(severalStatements);
    const execute = session.executeQuery.bind(session);
    session.executeQuery = async (query, ...rest) =>
      guard.pass(query.sql, async (prefix = '') => execute({ ...query, sql: prefix + query.sql }, ...rest));
    session.streamQuery = () => {
      throw new Error(
        'Rows are read in pages: a stream would hold its connection for as long as its reader takes.',
      );
    };
    guards.set(session, guard);
    return guard;
  }

  private async pass(sql: string, send: Send): Promise<unknown> {
    if (sql === 'begin') return this.begin(send);
    if (sql === 'rollback') return this.rollback(send);
    this.refuseIfAborted();
    if (sql === 'commit') return this.commit(send);
    try {
      return this.beginIsDue ? await this.sendWithBegin(send) : await send();
    } catch (error) {
      throw this.judged(error);
    }
  }

  private async begin(send: Send): Promise<unknown> {
    const answer = this.severalStatements ? NOTHING : await send();
    this.beginIsDue = this.severalStatements;
    this.open = true;
    this.abortCause = null;
    return answer;
  }

  /** The first message of a transaction: the way to the server and back costs more than BEGIN does. */
  private async sendWithBegin(send: Send): Promise<unknown> {
    this.beginIsDue = false;
    const { rows } = (await send('begin;\n')) as { rows: readonly unknown[] };
    const [, ...answers] = rows;
    return answers.length === 1 ? resultOf(answers[0]) : { rows: answers };
  }

  /** The guard forgets in any case: where ROLLBACK itself fails the connection is gone, and the transaction with it. */
  private async rollback(send: Send): Promise<unknown> {
    this.open = false;
    this.beginIsDue = false;
    this.abortCause = null;
    return send();
  }

  /** A server that refuses a COMMIT with a deadlock, or because it only reads, says that nothing stands; anything else leaves it open. */
  private async commit(send: Send): Promise<unknown> {
    this.beginIsDue = false;
    try {
      const answer = await send();
      this.open = false;
      return answer;
    } catch (error) {
      throw isRetryable(error) || isReadOnly(error) ? this.judged(error) : new CommitUnknownError(error);
    }
  }

  private refuseIfAborted(): void {
    if (this.abortCause !== null) throw new AbortedTransactionError(this.abortCause);
  }

  private judged(reported: unknown): unknown {
    const error = namedError(reported);
    if (this.open && isRetryable(error)) this.abortCause = error;
    if (this.open && isLostBeforeCommit(error)) this.abortCause = error;
    return error;
  }
}
