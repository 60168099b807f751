import { setTimeout as pause } from 'node:timers/promises';
import type { MikroORM } from '@mikro-orm/core';
import { systemEm } from './orm.js';

type Connection = ReturnType<ReturnType<typeof systemEm>['getConnection']>;
type Client = ReturnType<Connection['getClient']>;
type Session = Parameters<Parameters<ReturnType<Client['connection']>['execute']>[0]>[0];

/** Locks are the server's, so the name tells its database; at most 64 characters. MySQL 9.6 has no MD5 any more. */
const LOCK_NAME = 'concat(?, left(sha2(database(), 256), 32))';
/** A holder that fell silent for this long (its host is gone, its process is stopped) loses the lock. */
const SILENCE_MAX_S = 30;
/** How often a holder at work shows itself within that time. */
const SIGNS_OF_LIFE = 3;
const TRY_EVERY_MS = 200;

/**
 * A lock of the database server by name, for what only one process at a time does. It lives as long as one
 * connection, which is kept for it alone, so a crash gives it back.
 */
export class NamedLock {
  private session: Session | null = null;
  private free: () => void = () => undefined;
  private kept: Promise<void> = Promise.resolve();

  /** @param purpose at most 31 characters */
  constructor(
    private readonly orm: MikroORM,
    private readonly purpose: string,
    private readonly silenceMaxS = SILENCE_MAX_S,
  ) {}

  /** Takes the lock if it is free; does not wait. */
  async tryTake(): Promise<boolean> {
    await this.release();
    const taken = Promise.withResolvers<boolean>();
    const freed = Promise.withResolvers<void>();
    const connection = this.connection();
    await connection.ensureConnection();
    this.kept = connection
      .getClient()
      .connection()
      .execute(async (session) => {
        const got = await this.ask(`select get_lock(${LOCK_NAME}, 0) as answer`, session);
        if (got) {
          await this.execute(
            `set @silence_before = @@session.wait_timeout, session wait_timeout = ${this.silenceMaxS}`,
            session,
          );
          this.session = session;
          this.free = freed.resolve;
        }
        taken.resolve(got);
        if (!got) return;
        await freed.promise;
        await this.execute('set session wait_timeout = @silence_before', session);
        await this.ask(`select release_lock(${LOCK_NAME}) as answer`, session);
      })
      // A broken connection has lost the lock anyway; waiting callers get the error.
      .catch((error: unknown) => taken.reject(error));
    return taken.promise;
  }

  /** Whether it is still ours; also keeps the connection awake. */
  async held(): Promise<boolean> {
    if (this.session === null) return false;
    try {
      return await this.ask(`select is_used_lock(${LOCK_NAME}) = connection_id() as answer`, this.session);
    } catch {
      await this.release();
      return false;
    }
  }

  /**
   * Does the work while no other holder of the lock does; waits for the lock without a limit, because its holder is at
   * work, or loses it.
   */
  async during<T>(work: () => Promise<T>): Promise<T> {
    while (!(await this.tryTake())) await pause(TRY_EVERY_MS);
    return this.heldDuring(work);
  }

  /** The same, but does not wait. @returns null when another connection holds the lock */
  async tryDuring<T>(work: () => Promise<T>): Promise<T | null> {
    return (await this.tryTake()) ? this.heldDuring(work) : null;
  }

  private async heldDuring<T>(work: () => Promise<T>): Promise<T> {
    const awake = setInterval(() => void this.held(), (this.silenceMaxS * 1000) / SIGNS_OF_LIFE);
    try {
      return await work();
    } finally {
      clearInterval(awake);
      await this.release();
    }
  }

  async release(): Promise<void> {
    this.session = null;
    this.free();
    await this.kept;
  }

  private connection(): Connection {
    return systemEm(this.orm).getConnection();
  }

  private async execute(sql: string, session: Session): Promise<void> {
    await this.connection().execute(sql, [], 'run', session);
  }

  private async ask(sql: string, session: Session): Promise<boolean> {
    const row = await this.connection().execute<{ answer: number | null }>(
      sql,
      [`${this.purpose}:`],
      'get',
      session,
    );
    return row.answer === 1;
  }
}
