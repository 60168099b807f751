import { createConnection } from 'mysql2/promise';
import { mysqlErrno } from './sql-errors.js';

/** The part of the first question's time that the second one gets: the first was silence enough. */
const SECOND_QUESTION = 0.5;

/** Whether the database server is there, asked over a connection of its own: no pool, no queue, no lock is in the way. */
export class DatabasePulse {
  private asking: Promise<boolean> | null = null;

  constructor(
    private readonly databaseUrl: string,
    private readonly timeoutMs: number,
  ) {}

  /** Whoever asks while a question is under way shares its answer. */
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

  /** One connection may fail by an accident of its own. */
  private async askTwice(): Promise<boolean> {
    const sql = 'select 1';
    return (await this.ask(sql, this.timeoutMs)) || this.ask(sql, this.timeoutMs * SECOND_QUESTION);
  }

  private async ask(sql: string, timeoutMs: number): Promise<boolean> {
    const uri = this.databaseUrl.replace(/^mariadb:/, 'mysql:');
    try {
      const connection = await createConnection({ uri, connectTimeout: timeoutMs });
      connection.on('error', () => undefined);
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
