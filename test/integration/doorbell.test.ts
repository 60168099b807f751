import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { partitionOf } from '../../src/platform/partitions.js';
import { Doorbell } from '../../src/platform/push/doorbell.js';
import { Channels } from '../../src/platform/redis/channels.js';
import { connectRedis, connectRedisListener, type Redis } from '../../src/platform/redis/redis.js';
import { newTenant } from '../support/feed-world.js';
import { killListener } from '../support/redis-connections.js';

interface Process {
  readonly redis: Redis;
  readonly listener: Redis;
  readonly doorbell: Doorbell;
  readonly heard: [tenantId: string, seq: number][];
}

let one: Process;
let other: Process;
let tenantId: string;

async function newProcess(): Promise<Process> {
  const redis = connectRedis(inject('redisUrl'), 5000);
  const listener = connectRedisListener(inject('redisUrl'));
  const doorbell = new Doorbell(redis, listener);
  const heard: [string, number][] = [];
  // Other tests ring, too.
  doorbell.onRing((tenant, seq) => void (tenant.startsWith(tenantId) && heard.push([tenant, seq])));
  await doorbell.listen();
  return { redis, listener, doorbell, heard };
}

beforeEach(async () => {
  tenantId = newTenant();
  one = await newProcess();
  other = await newProcess();
});
afterEach(() => {
  for (const { redis, listener } of [one, other]) {
    redis.disconnect();
    listener.disconnect();
  }
});

describe('the doorbell', () => {
  it('tells its own process at once, and every other one', async () => {
    one.doorbell.ring(tenantId, 7);
    expect(one.heard).toEqual([[tenantId, 7]]);
    await expect.poll(() => other.heard).toEqual([[tenantId, 7]]);
  });

  it('lets pass what other programs send on its channel', async () => {
    const channels = new Channels(one.redis, 'events:doorbell');
    const texts = ['', 'hello', 'null', '7', '{}', '[7]', `[["${tenantId}"]]`, `[["${tenantId}", "7"]]`];
    for (const text of texts) await channels.publish(channels.of(tenantId), text);
    one.doorbell.ring(tenantId, 7);
    await expect.poll(() => other.heard).toEqual([[tenantId, 7]]);
  });

  it('rings once for all commits that come while one is on its way, with the highest number of each tenant', async () => {
    // In a cluster each partition has a channel.
    let twin = `${tenantId}b`;
    while (partitionOf(twin) !== partitionOf(tenantId)) twin += 'b';
    for (let seq = 1; seq <= 100; seq += 1) {
      one.doorbell.ring(tenantId, seq);
      one.doorbell.ring(twin, 1000 - seq);
    }
    await expect.poll(() => other.heard).toHaveLength(3);
    expect(other.heard[0]).toEqual([tenantId, 1]);
    expect(new Map(other.heard)).toEqual(
      new Map([
        [tenantId, 100],
        [twin, 999],
      ]),
    );
  });

  it('is heard again after the connection was lost, and never keeps its ringer waiting', async () => {
    await killListener(one.redis, other.listener);
    await expect
      .poll(
        () => {
          one.doorbell.ring(tenantId, 5);
          return other.heard.at(-1);
        },
        { timeout: 30_000 },
      )
      .toEqual([tenantId, 5]);
    one.redis.disconnect();
    one.doorbell.ring(tenantId, 6);
    expect(one.heard.at(-1)).toEqual([tenantId, 6]);
  });
});
