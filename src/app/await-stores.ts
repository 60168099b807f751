import { awaitStore, type StoreWait } from '../platform/await-store.js';
import { databaseObstacle } from '../platform/database/database-reach.js';
import { redisObstacle } from '../platform/redis/redis-reach.js';

/** Waits for stores that are just coming up. @throws StartError with what is in the way, and what to do */
export async function awaitStores(
  { databaseUrl, redisUrl }: { readonly databaseUrl: string; readonly redisUrl: string },
  wait: StoreWait,
): Promise<void> {
  await awaitStore(async () => databaseObstacle(databaseUrl), wait);
  await awaitStore(async () => redisObstacle(redisUrl), wait);
}

/** The same for a migration: it needs no Redis, and makes the database where it is missing. */
export async function awaitDatabaseServer(databaseUrl: string, wait: StoreWait): Promise<void> {
  await awaitStore(async () => {
    const obstacle = await databaseObstacle(databaseUrl);
    return obstacle?.isMissing === true ? null : obstacle;
  }, wait);
}
