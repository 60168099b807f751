import { createConnection } from 'mysql2/promise';

/** Whether the database server is there, asked over a connection of its own: no pool, no queue, no lock is in the way. */
export class DatabasePulse {
  private asking: Promise<boolean> | null = null;

  constructor(
    private readonly databaseUrl: string,
    private readonly timeoutMs: number,
  ) {}

  /** Whoever asks while a question is under way shares its answer. */
  async answers(): Promise<boolean> {
    this.asking ??= this.ask('select 1').finally(() => {
      this.asking = null;
    });
    return this.asking;
  }

  /** Ends a session whose connection is dead, and its transaction and its locks with it. */
  async end(threadId: number): Promise<void> {
    await this.ask(`kill ${threadId}`);
  }

  private async ask(sql: string): Promise<boolean> {
    const uri = this.databaseUrl.replace(/^mariadb:/, 'mysql:');
    try {
      const connection = await createConnection({ uri, connectTimeout: this.timeoutMs });
      connection.on('error', () => undefined);
      try {
        await connection.query({ sql, timeout: this.timeoutMs });
        return true;
      } finally {
        connection.destroy();
      }
    } catch {
      return false;
    }
  }
}
