import { setTimeout as pause } from 'node:timers/promises';
import type { MikroORM } from '@mikro-orm/core';
import { systemEm } from '../platform/database/orm.js';

/** Locks are the server's, so the name tells its database; at most 64 characters. MySQL 9.6 has no MD5 any more. */
const LOCK_NAME = "concat('migrate:', left(sha2(database(), 256), 32))";
/** A holder that fell silent for this long (its host is gone, its process is stopped) loses the lock. */
const SILENCE_MAX_S = 30;
/** How often a holder at work shows itself within that time. */
const SIGNS_OF_LIFE = 3;
const TRY_EVERY_MS = 200;

/**
 * One migration at a time in a database. It waits without a limit, because the holder is at work, or loses the lock.
 *
 * A lock of the server and no lease: migrations make the table of leases, statements that change tables can check no
 * fence in a transaction, and a run that was killed has to free the lock at once.
 */
export async function withMigrationLock<T>(orm: MikroORM, work: () => Promise<T>): Promise<T> {
  const connection = systemEm(orm).getConnection();
  await connection.ensureConnection();
  return connection
    .getClient()
    .connection()
    .execute(async (session) => {
      const ask = async (what: string): Promise<boolean> =>
        (await connection.execute<{ answer: number | null }>(`select ${what} as answer`, [], 'get', session))
          .answer === 1;
      await connection.execute(`set session wait_timeout = ${SILENCE_MAX_S}`, [], 'run', session);
      while (!(await ask(`get_lock(${LOCK_NAME}, 0)`))) await pause(TRY_EVERY_MS);
      const awake = setInterval(
        () => void ask('1').catch(() => undefined),
        (SILENCE_MAX_S * 1000) / SIGNS_OF_LIFE,
      );
      try {
        return await work();
      } finally {
        clearInterval(awake);
        // A broken connection has lost it anyway.
        await ask(`release_lock(${LOCK_NAME})`).catch(() => undefined);
      }
    });
}
