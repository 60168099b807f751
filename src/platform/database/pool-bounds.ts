import type { Socket } from 'node:net';
import type { DatabaseProbe } from './database-probe.js';
import { isReadOnly } from './sql-errors.js';

/** How long a statement, or the wait for a connection, may take on a server that answers others. */
const LATE_AFTER_MS = 15_000;

export interface PoolBounds {
  /** After this time without an answer, and again and again, the server is asked whether it is there. */
  readonly askAfterMs: number;
  readonly lateAfterMs?: number;
  /**
   * What becomes of a statement when it is not: REFUSE gives it up, and its connection with it; WAIT lets it stand,
   * because a COMMIT that is under way must go on.
   */
  readonly whenAway: 'REFUSE' | 'WAIT';
}

/** The server, or one connection to it, says nothing. Recognised by its code, because the ORM copies an error's fields. */
class DatabaseSilentError extends Error {
  override readonly name = 'DatabaseSilentError';
  readonly code = 'ETIMEDOUT';

  constructor() {
    super('The database did not answer in time.');
  }
}

type Callback<T> = (error: Error | null, result?: T) => void;
type Query = (sql: unknown, values: unknown, done?: Callback<unknown>) => unknown;

/** What is used of the driver's connection and pool. */
interface DriverConnection {
  query: Query;
  readonly threadId: number | null;
  readonly stream: Socket;
  release(): void;
  destroy(): void;
}

export interface DriverPool {
  getConnection(done: Callback<DriverConnection>): void;
}

/**
 * Bounds how long a pool's users wait. The driver has no such bound: while the server hangs, or a connection is dead
 * without a reset, its statement waits, and so do all who wait for a connection of the pool. Slow is not away: a
 * statement is given up when the server does not answer a question beside it, or answers others for long.
 *
 * A primary that has become a replica keeps its connections. The one that is refused a write ends, and with it all
 * that are as old, when they are next asked for: they lead to the same server, and new ones may lead to another.
 */
export function boundPool(pool: DriverPool, bounds: PoolBounds, probe: DatabaseProbe): void {
  const generations = new WeakMap<DriverConnection, number>();
  let generation = 0;
  const retireAll = (): void => {
    generation += 1;
  };
  const take = pool.getConnection.bind(pool);
  pool.getConnection = (done) => {
    const watch = new Watch(bounds, probe, (error) => done(error));
    const taken: Callback<DriverConnection> = (error, connection) => {
      if (connection === undefined) {
        if (watch.end()) done(error);
        return;
      }
      const born = generations.get(connection);
      if (born !== undefined && born < generation) {
        end(connection);
        take(taken);
        return;
      }
      if (born === undefined) boundStatements(connection, bounds, probe, retireAll);
      generations.set(connection, generation);
      // The caller was refused meanwhile.
      if (watch.end()) done(null, connection);
      else connection.release();
    };
    take(taken);
  };
}

/** Takes it out of the pool, too. */
function end(connection: DriverConnection): void {
  connection.destroy();
  connection.stream.destroy();
}

function boundStatements(
  connection: DriverConnection,
  bounds: PoolBounds,
  probe: DatabaseProbe,
  retireAll: () => void,
): void {
  const query = connection.query.bind(connection);
  connection.query = (sql, values, done) => {
    if (done === undefined) return query(sql, values);
    const watch = new Watch(bounds, probe, (error, isThere) => {
      if (isThere && connection.threadId !== null) void probe.end(connection.threadId);
      // A late answer could be taken for that of another statement.
      end(connection);
      done(error);
    });
    return query(sql, values, (error, result) => {
      if (isReadOnly(error)) {
        end(connection);
        retireAll();
      }
      if (watch.end()) done(error, result);
    });
  };
}

/** One wait for the server, which ends once: by its answer, or by giving up. */
class Watch {
  private timer: NodeJS.Timeout;
  private isOver = false;
  /** Since when the server has answered every question, by the process' own clock. */
  private thereSinceMs = performance.now();

  constructor(
    private readonly bounds: PoolBounds,
    private readonly probe: DatabaseProbe,
    private readonly giveUp: (error: DatabaseSilentError, isThere: boolean) => void,
  ) {
    this.timer = this.lookLater();
  }

  /** True when the wait was not over yet. */
  end(): boolean {
    const wasOver = this.isOver;
    this.isOver = true;
    clearTimeout(this.timer);
    return !wasOver;
  }

  private lookLater(): NodeJS.Timeout {
    return setTimeout(() => void this.look(), this.bounds.askAfterMs);
  }

  private async look(): Promise<void> {
    const isThere = await this.probe.answers();
    if (this.isOver) return;
    if (!isThere) this.thereSinceMs = performance.now();
    const { whenAway, lateAfterMs = LATE_AFTER_MS } = this.bounds;
    const isLate = performance.now() - this.thereSinceMs >= lateAfterMs;
    if (isThere ? isLate : whenAway === 'REFUSE') {
      this.end();
      this.giveUp(new DatabaseSilentError(), isThere);
      return;
    }
    this.timer = this.lookLater();
  }
}
