import { createConnection, type Connection } from 'mysql2/promise';
import { mysqlErrno } from './sql-errors.js';

/** A connection outside of all pools. */
export async function openPlain(databaseUrl: string, connectTimeout: number): Promise<Connection> {
  const uri = databaseUrl.replace(/^mariadb:/, 'mysql:');
  const connection = await createConnection({ uri, connectTimeout });
  connection.on('error', () => undefined);
  return connection;
}

/** Whether the database server is there, asked over a connection of its own: no pool, no queue, no lock is in the way. */
export class DatabaseProbe {
  private asking: Promise<boolean> | null = null;

  constructor(
    private readonly databaseUrl: string,
    private readonly timeoutMs: number,
  ) {}

  /** Callers that ask while a question is under way share its answer. */
  async answers(): Promise<boolean> {
    this.asking ??= this.askTwice().finally(() => {
      this.asking = null;
    });
    return this.asking;
  }

  /** Ends a session whose connection is dead, and its transaction and its locks with it. */
  async end(threadId: number): Promise<void> {
    await this.ask(`kill ${threadId}`, this.timeoutMs);
  }

  /** One connection may fail by an accident of its own. Silence has taken all the time that there is. */
  private async askTwice(): Promise<boolean> {
    const fromMs = performance.now();
    if (await this.ask('select 1', this.timeoutMs)) return true;
    const leftMs = Math.floor(this.timeoutMs - (performance.now() - fromMs));
    return leftMs > 0 && this.ask('select 1', leftMs);
  }

  private async ask(sql: string, timeoutMs: number): Promise<boolean> {
    try {
      const connection = await openPlain(this.databaseUrl, timeoutMs);
      try {
        await connection.query({ sql, timeout: timeoutMs });
        return true;
      } finally {
        connection.destroy();
      }
    } catch (error) {
      // A server that refuses, as one with too many connections does, is there.
      return mysqlErrno(error) !== null;
    }
  }
}
