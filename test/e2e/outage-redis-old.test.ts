import { describe, expect, it } from 'vitest';
import { keyDigest } from '../../src/platform/key-digest.js';
import { connectRedis, type Redis } from '../../src/platform/redis/redis.js';
import { signedUsers, type Cluster } from '../support/cluster.js';
import { openBeforeAll } from '../support/open-before-all.js';
import { openRedisOutage, sceneOf, type Scene } from '../support/outage.js';
import { PASSING_IN_OUTAGES, redeemAll, tallyOf, type RedeemWish } from '../support/redeemers.js';
import { RedisServer } from '../support/redis-server.js';
import { TcpForwarder } from '../support/tcp-forwarder.js';
import { expectExactly } from '../support/truth.js';

let redis: RedisServer;
let forwarder: TcpForwarder;
let cluster: Cluster;
openBeforeAll(async (closing) => {
  ({ redis, forwarder, cluster } = await openRedisOutage(closing, {
    STORE_TIMEOUT_MS: '5000',
    CLAIM_DEADLINE_MS: '3000',
    SWEEP_EVERY_MS: '1000',
  }));
});

/** What Redis remembers of these redemptions: copies of their codes, open claims, and the keys they were sent with. */
async function remembered(store: Redis, tenantId: string, wishes: readonly RedeemWish[]) {
  const counts = { copies: 0, claims: 0, keys: 0 };
  const { recognizer } = cluster.world.services;
  const name = (key: string): string => `{${tenantId}}:${key}`;
  for (const { user, code, key = '' } of wishes) {
    const digest = recognizer.digests(tenantId, recognizer.canonicalize(code) ?? '')[0] ?? '';
    counts.copies += await store.exists(name(`code:${digest}`));
    counts.claims += await store.hlen(name(`claims:${digest}`));
    counts.keys += await store.exists(
      name(`key:${user.userId}:${keyDigest(user.tenantId, user.userId, key)}`),
    );
  }
  return counts;
}

/** The restored Redis has the early redemptions and none of the late ones. */
async function expectOlder(redisUrl: string, { tenantId, wishes }: Scene): Promise<void> {
  const store = connectRedis(redisUrl, 10_000);
  try {
    const early = await remembered(store, tenantId, wishes.slice(0, 30));
    expect(early).toMatchObject({ copies: 30, keys: 30 });
    const late = await remembered(store, tenantId, wishes.slice(30));
    expect(late).toEqual({ copies: 0, claims: 0, keys: 0 });
  } finally {
    store.disconnect();
  }
}

/** Others try every code, and the winners try again, all at once: Redis remembers some codes as they were before. */
async function expectNothingTwice({ tenantId, wishes }: Scene): Promise<void> {
  const others = await signedUsers(cluster.world, tenantId, wishes.length);
  const rivals = others.map((user, at): RedeemWish => ({ user, code: wishes[at]?.code ?? '' }));
  const again = await redeemAll(cluster.urls, [...wishes, ...rivals], PASSING_IN_OUTAGES);
  expect(tallyOf(again)).toEqual({ COMMITTED: wishes.length, CODE_EXHAUSTED: rivals.length });
  await expectExactly(cluster.world, tenantId, wishes.length, again);
}

describe('a Redis with data older than the database', () => {
  it('S4.20 S0.10 by a restore of its old data redeems no code twice, and its copies heal', async () => {
    const scene = await sceneOf(cluster, 60);
    await redeemAll(cluster.urls, scene.wishes.slice(0, 30), PASSING_IN_OUTAGES);
    await redis.stop();
    const putBack = redis.snapshot();
    await redis.start();
    const behind = await redeemAll(cluster.urls, scene.wishes.slice(30), PASSING_IN_OUTAGES);
    expect(tallyOf(behind)).toEqual({ COMMITTED: 30 });
    await redis.stop();
    putBack();
    await redis.start();
    await expectOlder(redis.url, scene);
    await expectNothingTwice(scene);
  });

  it('S4.20 S0.10 by the promotion of a replica that lagged redeems no code twice', async () => {
    const scene = await sceneOf(cluster, 60);
    const line = await TcpForwarder.start(redis.port);
    const replica = await RedisServer.start('--replicaof', `127.0.0.1 ${line.port}`);
    const own = connectRedis(replica.url, 10_000);
    await expect.poll(async () => own.info('replication'), { timeout: 60_000 }).toContain('link_status:up');
    await redeemAll(cluster.urls, scene.wishes.slice(0, 30), PASSING_IN_OUTAGES);
    const { redis: commands } = cluster.world.stores;
    await commands.set('last', 'written');
    await expect.poll(async () => commands.call('WAIT', '1', '1000')).toBe(1);
    line.deaden();
    const behind = await redeemAll(cluster.urls, scene.wishes.slice(30), PASSING_IN_OUTAGES);
    expect(tallyOf(behind)).toEqual({ COMMITTED: 30 });
    await own.replicaof('NO', 'ONE');
    own.disconnect();
    await expectOlder(replica.url, scene);
    forwarder.pointAt(replica.port);
    forwarder.cut();
    await expectNothingTwice(scene);
    forwarder.pointAt(redis.port);
    forwarder.cut();
    await line.close();
    await replica.close();
  });
});
