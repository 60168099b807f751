import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StoreUnavailableError } from '../../src/platform/errors.js';
import { PARTITION_TAGS, partitionOf } from '../../src/platform/partitions.js';
import { mastersOf, probeAll, probeWrites, scanKeys } from '../../src/platform/redis/redis-nodes.js';
import { RedisCluster } from '../../src/platform/redis/redis-cluster.js';
import { redisObstacle } from '../../src/platform/redis/redis-reach.js';
import type { RedisNode } from '../../src/platform/redis/redis.js';
import type { RedeemAnswer } from '../../src/redemption/redeem/redeem-request.js';
import { openClaim, reopen } from '../support/open-claim.js';
import { RedisClusterServers, type ClusterNode } from '../support/redis-cluster-servers.js';
import { RedisServer } from '../support/redis-server.js';
import { expectExactly, type Answered } from '../support/truth.js';
import {
  openWorld,
  outcomeOf,
  redeem,
  seedCampaign,
  seedTenant,
  seedUsers,
  tally,
  type SeededTenant,
  type World,
} from '../support/world.js';

let servers: RedisClusterServers;
/** Two processes on the same stores. */
let one: World;
let other: World;

beforeAll(async () => {
  servers = await RedisClusterServers.start();
  const environment = { STORE_TIMEOUT_MS: '1000', CLAIM_DEADLINE_MS: '2000', HELD_WAIT_MS: '20000' };
  one = await openWorld(environment, { redisUrl: servers.url });
  other = await openWorld(environment, { redisUrl: servers.url });
  await Promise.all([one, other].map(async ({ services }) => services.doorbell.listen()));
});
afterAll(async () => {
  await one?.close();
  await other?.close();
  await servers?.close();
});

interface SpreadTenant extends SeededTenant {
  readonly master: ClusterNode;
}

/** A new tenant on each master, and the one of this master first. */
async function spread(first?: ClusterNode): Promise<[SpreadTenant, SpreadTenant, SpreadTenant]> {
  const found = new Map<ClusterNode, SpreadTenant>();
  while (found.size < 3) {
    const tenant = await seedTenant(one);
    const master = await servers.masterOf(tenant.tenantId);
    // A few tenants have their jobs and doorbell on another master than their keys.
    const partition = await servers.masterOf(PARTITION_TAGS[partitionOf(tenant.tenantId)] ?? '');
    if (!found.has(master) && partition === master) found.set(master, { ...tenant, master });
  }
  const all = [...found.values()].toSorted((a, b) => Number(b.master === first) - Number(a.master === first));
  return all as [SpreadTenant, SpreadTenant, SpreadTenant];
}

function shownAs(answer: RedeemAnswer): Answered {
  return { outcome: outcomeOf(answer), redemption: answer.redemption };
}

/** Asks again by the same key, each time the other process, while a master is away. */
async function redeemPatiently(tenantId: string, userId: string, code: string) {
  for (let attempt = 0; ; attempt += 1) {
    const world = attempt % 2 === 0 ? one : other;
    const answer = await redeem(world, tenantId, userId, code, { idempotencyKey: `key-${userId}` });
    if (outcomeOf(answer) !== 'SERVICE_UNAVAILABLE' && outcomeOf(answer) !== 'CODE_HELD')
      return { answer, attempt };
  }
}

describe('X.14 on a Redis Cluster', () => {
  it('a race in tenants of every master, over two processes, leaves exactly the uses of each code', async () => {
    for (const { tenantId, planId } of await spread()) {
      const { codes } = await seedCampaign(one, { tenantId, planId }, 1, { rule: { useLimit: 3 } });
      const users = await seedUsers(one, tenantId, 20);
      const answers = await Promise.all(
        users.map(async (userId, at) => redeem(at % 2 === 0 ? one : other, tenantId, userId, codes[0] ?? '')),
      );
      expect(tally(answers)).toEqual({ COMMITTED: 3, CODE_EXHAUSTED: 17 });
      await expectExactly(one, tenantId, 3, answers.map(shownAs));
    }
  });

  it('walks see the keys of every master, and every master is asked for its state', async () => {
    const there = await spread();
    for (const { tenantId } of there) await one.services.copies.epoch(tenantId);
    expect(await mastersOf(one.stores.redis)).toHaveLength(3);
    const found = new Set<string>();
    for await (const page of scanKeys(one.stores.redis, '{*}:epoch', 100))
      for (const key of page) found.add(key);
    for (const { tenantId } of there) expect(found).toContain(`{${tenantId}}:epoch`);
    await probeAll(one.stores.redis);
    await probeWrites(one.stores.redis);
    expect(await redisObstacle(servers.url)).toBeNull();
    const single = servers.nodes[0]?.server.url ?? '';
    const obstacle = await redisObstacle(single);
    const toWrite = single.replace('redis:', 'redis+cluster:').replace(/\/0$/, '');
    expect(obstacle?.message).toContain(`write REDIS_URL=${toWrite},`);
    expect(obstacle?.mayPass).toBe(false);
  });

  it('of several nodes that cannot be used, the start names the one that stays so', async () => {
    const single = await RedisServer.start();
    const obstacle = await redisObstacle(`redis+cluster://127.0.0.1:1,127.0.0.1:${single.port}`);
    expect(obstacle).toMatchObject({
      mayPass: false,
      message: expect.stringContaining(`127.0.0.1:${single.port} is no node of a cluster`) as string,
    });
    await single.close();
  });

  it('is connected to by the names of its nodes, which their certificates are for', async () => {
    const cluster = new RedisCluster(`redis+cluster://localhost:${servers.nodes[0]?.server.port}`, {}, 1000);
    const hosts: unknown[] = [];
    cluster.on('+node', (node: RedisNode) => hosts.push(node.options.host));
    expect(await mastersOf(cluster)).toHaveLength(3);
    expect(hosts).toContain('localhost');
    cluster.disconnect();
  });

  it('that is away keeps no listener of those who have waited for it in vain', async () => {
    const cluster = new RedisCluster('redis+cluster://127.0.0.1:1', {}, 20);
    try {
      const before = cluster.listenerCount('ready');
      await expect(cluster.masters()).rejects.toBeInstanceOf(StoreUnavailableError);
      expect(cluster.listenerCount('ready')).toBe(before);
    } finally {
      cluster.disconnect();
    }
  });

  it('a master that is killed keeps its tenants waiting, and no others; retries by the same keys commit each once, and each is pushed once', async () => {
    const [lost, ...others] = await spread();
    const each = await Promise.all(
      [lost, ...others].map(async (tenant) => {
        const { codes } = await seedCampaign(one, tenant, 10);
        const users = await seedUsers(one, tenant.tenantId, 10);
        return { ...tenant, wishes: users.map((userId, at) => ({ userId, code: codes[at] ?? '' })) };
      }),
    );
    const filter = { tenantId: lost.tenantId, types: ['redemption_settled'], userId: null };
    const feed = await other.services.feed.subscribe(filter);
    const heard: string[] = [];
    const hearing = (async () => {
      for await (const { payload } of feed) heard.push(String(payload['redemptionId']));
    })();
    const killed = lost.master.server.kill();
    const answers = await Promise.all(
      each.map(async ({ tenantId, wishes }) =>
        Promise.all(wishes.map(async ({ userId, code }) => redeemPatiently(tenantId, userId, code))),
      ),
    );
    await killed;
    for (const [at, all] of answers.entries()) {
      expect(tally(all.map(({ answer }) => answer))).toEqual({ COMMITTED: 10 });
      const isOfLost = at === 0;
      expect(
        all.some(({ attempt }) => attempt > 0),
        'had to ask again',
      ).toBe(isOfLost);
    }
    await servers.replaced(lost.tenantId, lost.master);
    // What the replica had not heard of is put right by the database.
    await expect.poll(async () => one.services.compensationJob.tick()).toBe(true);
    for (const [at, { tenantId }] of each.entries()) {
      const shown = (answers[at] ?? []).map(({ answer }) => shownAs(answer));
      await expectExactly(one, tenantId, shown.length, shown);
    }
    const ids = answers[0]?.map(({ answer }) => answer.redemption?.id ?? '') ?? [];
    await expect.poll(() => heard).toHaveLength(ids.length);
    expect(new Set(heard)).toEqual(new Set(ids));
    feed.end();
    await hearing;
  });

  it('a master that is gone without a replica stops neither the sweep, nor the jobs, nor the readiness of the others', async () => {
    const lostMaster = await servers.masterOf('bull');
    const [away, healthy] = await spread(lostMaster);
    const { codes } = await seedCampaign(one, healthy, 2);
    const [late = '', deferred = ''] = await seedUsers(one, healthy.tenantId, 2);
    const overdue = await openClaim(one, healthy, codes[0] ?? '', late);
    await reopen(one, overdue);
    const waiting = await openClaim(one, healthy, codes[1] ?? '', deferred);
    await servers.lose(lostMaster);
    expect(await one.services.pendingRedemptions.defer(healthy.tenantId, [waiting])).toBe(1);
    expect(await one.services.pendingRedemptions.find(healthy.tenantId, waiting.redemptionId)).toMatchObject({
      isDeferred: true,
    });
    const failed: string[] = [];
    const due = one.services.openClaims.tenantsOverdue([away.tenantId], (tenantId) => failed.push(tenantId));
    expect([await due, failed], 'what comes behind is swept all the same').toEqual([[], [away.tenantId]]);
    await one.services.sweeper.sweepAll().catch(() => undefined);
    expect(await one.services.openClaims.overdueCount(healthy.tenantId)).toBe(0);
    await probeWrites(one.stores.redis);
    await expect(probeAll(one.stores.redis)).rejects.toThrow();
  });
});
