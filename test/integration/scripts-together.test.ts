import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectRedis, type Redis } from '../../src/platform/redis/redis.js';
import { RedisScript } from '../../src/platform/redis/script.js';
import { RedisServer } from '../support/redis-server.js';

/** Without gathering, a round takes 4 to 200 reads, depending on how busy the processors are. */
const ROUNDS = 50;

let server: RedisServer | undefined;
let redis: Redis;
beforeAll(async () => {
  server = await RedisServer.start();
  redis = connectRedis(server.url, 10_000);
});
afterAll(async () => {
  redis.disconnect();
  await server?.close();
});

/** How often the server has read from its connections. */
async function reads(): Promise<number> {
  return Number(/total_reads_processed:(\d+)/.exec(await redis.info('stats'))?.[1]);
}

it('scripts of the same moment reach Redis together', async () => {
  const script = new RedisScript(redis, 'uses-held');
  const run = async () => script.run(['{T}:code:together', '{T}:claims:together'], []);
  await run();
  const before = await reads();
  for (let round = 0; round < ROUNDS; round += 1) await Promise.all(Array.from({ length: 200 }, run));
  // Each round is some 30 kB, of which the server reads up to 16 kB at once.
  expect(((await reads()) - before) / ROUNDS).toBeLessThan(4);
});
