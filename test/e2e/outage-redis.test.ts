import { describe, expect, it } from 'vitest';
import { startCluster, type Cluster } from '../support/cluster.js';
import { factsOf } from '../support/facts.js';
import { openBeforeAll } from '../support/open-before-all.js';
import {
  ANSWERED_MS_MAX,
  askOnce,
  expectAllRedeemed,
  expectRecovery,
  note,
  sceneOf,
  slowest,
  withLag,
} from '../support/outage.js';
import { PASSING_IN_OUTAGES, redeemAll, tallyOf } from '../support/redeemers.js';
import { RedisServer } from '../support/redis-server.js';
import { createScratchDatabase } from '../support/scratch-database.js';

let redis: RedisServer;
let cluster: Cluster;
openBeforeAll(async (closing) => {
  redis = await closing(RedisServer.start());
  const { databaseUrl } = await closing(createScratchDatabase());
  const environment = { STORE_TIMEOUT_MS: '1000' };
  cluster = await closing(startCluster({ redisUrl: redis.url, databaseUrl, mayComplain: true, environment }));
});

async function configure(name: string, value: string): Promise<void> {
  await cluster.world.stores.redis.config('SET', name, value);
}

interface Outage {
  readonly name: string;
  begin(): Promise<unknown>;
  end(): Promise<unknown>;
}

const OUTAGES: readonly Outage[] = [
  {
    name: 'S0.10 killed, so that connections are refused',
    begin: async () => redis.kill(),
    end: async () => redis.start(),
  },
  {
    name: 'S0.10 held, so that nothing is answered',
    begin: async () => redis.signal('SIGSTOP'),
    end: async () => redis.signal('SIGCONT'),
  },
  {
    name: 'S0.10 out of memory',
    begin: async () => configure('maxmemory', '1'),
    end: async () => configure('maxmemory', '0'),
  },
  {
    name: 'S0.10 a replica after a failover',
    begin: async () => cluster.world.stores.redis.replicaof('127.0.0.1', '1'),
    end: async () => cluster.world.stores.redis.replicaof('NO', 'ONE'),
  },
  {
    name: 'S0.10 unable to write to its disk',
    begin: async () => cluster.world.stores.redis.config('SET', 'min-replicas-to-write', '1'),
    end: async () => cluster.world.stores.redis.config('SET', 'min-replicas-to-write', '0'),
  },
];

describe('while Redis is', () => {
  it.each(OUTAGES)(
    '$name every redemption answers SERVICE_UNAVAILABLE within a second, and nothing is lost',
    async (outage) => {
      const scene = await sceneOf(cluster, 40);
      const before = await redeemAll(cluster.urls, scene.wishes.slice(0, 10), PASSING_IN_OUTAGES);
      expect(tallyOf(before)).toEqual({ COMMITTED: 10 });
      await outage.begin();
      const { result: during, lagMs } = await withLag(cluster.urls, async () => [
        ...(await askOnce(cluster.urls, scene.wishes.slice(10, 30))),
        ...(await askOnce(cluster.urls, scene.wishes.slice(10, 30))),
      ]);
      expect(tallyOf(during)).toEqual({ SERVICE_UNAVAILABLE: 40 });
      expect(await factsOf(cluster.world, scene.tenantId)).toMatchObject({
        committed: 10,
        orders: 10,
        used: 10,
      });
      await outage.end();
      const recoveredMs = await expectRecovery(cluster.urls, scene.wishes.slice(30));
      note(`Redis ${outage.name}`, {
        'slowest answer ms': slowest(during),
        lagMs,
        'recovered ms': recoveredMs,
      });
      expect(slowest(during)).toBeLessThanOrEqual(ANSWERED_MS_MAX + 2 * lagMs);
      await expectAllRedeemed(cluster, scene);
    },
  );
});
