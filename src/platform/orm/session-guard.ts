import { CommitUnknownError, DoomedTransactionError, isRetryable } from './sql-errors.js';

/** What the query builder below the ORM sends statements through; one for each physical connection. */
export interface Session {
  executeQuery(query: SessionQuery, ...rest: unknown[]): Promise<unknown>;
  streamQuery(query: SessionQuery, ...rest: unknown[]): AsyncIterableIterator<unknown>;
}

interface SessionQuery {
  readonly sql: string;
  readonly parameters: readonly unknown[];
}

const guards = new WeakMap<object, SessionGuard>();

/**
 * Stands in front of a connection and keeps the rule that the ORM cannot keep: after a deadlock or a lock
 * time-out inside a transaction, nothing but ROLLBACK passes, whoever caught the error and wherever. Every
 * statement goes through here (units of work, raw SQL, savepoints, streams), so no caller can forget it.
 */
export class SessionGuard {
  private open = false;
  /** The error that doomed the open transaction. */
  doom: unknown = null;

  static of(session: object): SessionGuard | undefined {
    return guards.get(session);
  }

  static install(session: Session): SessionGuard {
    const guard = new SessionGuard();
    const execute = session.executeQuery.bind(session);
    const stream = session.streamQuery.bind(session);
    session.executeQuery = async (query, ...rest) =>
      guard.pass(query.sql, async () => execute(query, ...rest));
    session.streamQuery = async function* guarded(query, ...rest) {
      guard.refuseIfDoomed();
      try {
        yield* stream(query, ...rest);
      } catch (error) {
        throw guard.judged(error);
      }
    };
    guards.set(session, guard);
    return guard;
  }

  private async pass(sql: string, send: () => Promise<unknown>): Promise<unknown> {
    if (sql === 'begin') return this.begin(send);
    if (sql === 'rollback') return this.rollback(send);
    this.refuseIfDoomed();
    if (sql === 'commit') return this.commit(send);
    try {
      return await send();
    } catch (error) {
      throw this.judged(error);
    }
  }

  private async begin(send: () => Promise<unknown>): Promise<unknown> {
    const answer = await send();
    this.open = true;
    this.doom = null;
    return answer;
  }

  /** The guard forgets in any case: where ROLLBACK itself fails the connection is gone, and the transaction with it. */
  private async rollback(send: () => Promise<unknown>): Promise<unknown> {
    this.open = false;
    this.doom = null;
    return send();
  }

  /** A server that refuses a COMMIT with a deadlock says that nothing stands; anything else leaves it open. */
  private async commit(send: () => Promise<unknown>): Promise<unknown> {
    try {
      const answer = await send();
      this.open = false;
      return answer;
    } catch (error) {
      throw isRetryable(error) ? this.judged(error) : new CommitUnknownError(error);
    }
  }

  private refuseIfDoomed(): void {
    if (this.doom !== null) throw new DoomedTransactionError(this.doom);
  }

  private judged(error: unknown): unknown {
    if (this.open && isRetryable(error)) this.doom = error;
    return error;
  }
}
