import { expect, it } from 'vitest';
import { connectRedis } from '../../src/platform/redis/redis.js';
import { RedisServer } from '../support/redis-server.js';

/** More than the listeners that node expects of one socket. */
const WRITES = 50;

it('many writes that a replica refuses at once close its connection once, and the next one writes again', async () => {
  const warnings: string[] = [];
  const note = ({ message }: Error): void => void warnings.push(message);
  process.on('warning', note);
  const server = await RedisServer.start();
  const redis = connectRedis(server.url, 10_000);
  const connections = async (): Promise<number> =>
    Number(/total_connections_received:(\d+)/.exec(await redis.info('stats'))?.[1]);
  try {
    await redis.set('key', '1');
    const before = await connections();
    for (let round = 1; round <= 2; round += 1) {
      await redis.replicaof('127.0.0.1', '1');
      const writes = Array.from({ length: WRITES }, async (_none, at) => redis.set(`key-${at}`, '1'));
      const refused = await Promise.allSettled(writes);
      expect(refused.every(({ status }) => status === 'rejected')).toBe(true);
      await expect.poll(async () => connections()).toBe(before + round);
      await redis.replicaof('NO', 'ONE');
      expect(await redis.set('key', '2')).toBe('OK');
    }
    expect(warnings).toEqual([]);
  } finally {
    process.off('warning', note);
    redis.disconnect();
    await server.close();
  }
});
