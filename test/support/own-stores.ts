import { RedisServer } from './redis-server.js';
import { createScratchDatabase } from './scratch-database.js';

/** A database and a Redis of one test file, for workers that it kills, or sets up otherwise than others do. */
export interface OwnStores {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  close(): Promise<void>;
}

/**
 * Only both together keep other workers out. Those of one database share its tenants, and do what follows from an event
 * in their own Redis; those of one Redis share its jobs, and look for the rows in their own database.
 */
export async function startOwnStores(): Promise<OwnStores> {
  const [{ databaseUrl, drop }, redis] = await Promise.all([createScratchDatabase(), RedisServer.start()]);
  const close = async (): Promise<void> => {
    await redis.close();
    await drop();
  };
  return { databaseUrl, redisUrl: redis.url, close };
}
