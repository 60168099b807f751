import { expect, it } from 'vitest';
import { startWorker } from '../../src/app/worker.js';
import { systemEm } from '../../src/platform/database/orm.js';
import type { PeriodicJob } from '../../src/platform/scheduling/job.js';
import { RedisServer } from '../support/redis-server.js';
import { createScratchDatabase } from '../support/scratch-database.js';
import { openWorld } from '../support/world.js';

it('X.14 a worker that stops leaves its tenants to the others while a job of it still runs', async () => {
  const database = await createScratchDatabase();
  // A worker takes jobs of any test that shares its Redis.
  const redis = await RedisServer.start();
  const world = await openWorld({}, { databaseUrl: database.databaseUrl, redisUrl: redis.url });
  const { app, services, stores } = world;
  const isRunning = Promise.withResolvers<void>();
  const mayEnd = Promise.withResolvers<void>();
  const run = async (): Promise<void> => {
    isRunning.resolve();
    await mayEnd.promise;
  };
  const long: PeriodicJob = { name: 'long', everyMs: 1, where: 'IN_EACH', run };
  const worker = await startWorker({
    ...services,
    ...app,
    orm: stores.orm,
    jobs: [...app.jobs, long],
  });
  await isRunning.promise;
  const held = async () =>
    systemEm(stores.orm).execute(
      "select name from lease where name like 'tenants/%' and expires_at > utc_timestamp(3)",
    );
  expect(await held()).not.toEqual([]);
  const stopped = worker.stop();
  await expect.poll(held).toEqual([]);
  mayEnd.resolve();
  await stopped;
  await world.close();
  await redis.close();
  await database.drop();
});
