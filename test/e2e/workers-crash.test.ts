import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemEm } from '../../src/platform/database/orm.js';
import { startBundled } from '../support/cluster.js';
import { newTenant, openFeedWorld, type FeedWorld } from '../support/feed-world.js';
import type { RunningProcess } from '../support/processes.js';
import { RedisServer } from '../support/redis-server.js';

const PARTITIONS = 16;
/** So many that each partition has some, or nearly. */
const TENANTS = 40;
/** Workers that fall silent lose their share after some seconds, and new ones are counted late. */
const SHARED = { timeout: 60_000 };

let world: FeedWorld;
let redis: RedisServer;
const workers: RunningProcess[] = [];
beforeAll(async () => {
  world = await openFeedWorld();
  redis = await RedisServer.start();
});
afterAll(async () => {
  await Promise.all(workers.map(async (worker) => worker.kill()));
  await redis?.close();
  await world?.close();
});

async function startWorker(): Promise<RunningProcess> {
  const worker = await startBundled({
    role: 'worker',
    databaseUrl: world.databaseUrl,
    redisUrl: redis.url,
    environment: { STORE_TIMEOUT_MS: '10000' },
  });
  workers.push(worker);
  return worker;
}

interface Partition {
  readonly name: string;
  readonly owner: string;
  readonly fence: number;
}

async function partitions(): Promise<Partition[]> {
  return systemEm(world.orm).execute(
    "select name, owner, fence from lease where name like 'tenants/partition/%' and expires_at > utc_timestamp(3)",
  );
}

/** Partitions of each worker, by their number. */
async function shares(): Promise<number[]> {
  const byOwner = Map.groupBy(await partitions(), ({ owner }) => owner);
  return [...byOwner.values()].map(({ length }) => length).toSorted((a, b) => a - b);
}

/** Commits an event for each of many tenants, and waits until all consumers have passed it, in any process. */
async function eventsAreHandled(tenantIds: readonly string[]): Promise<void> {
  for (const tenantId of tenantIds) await world.commit(tenantId, null, 1, 'a');
  const behind = async () =>
    systemEm(world.orm).execute(
      `select tenant_id from outbox_counter c where tenant_id in (?) and not exists (
         select 1 from event_consumer e where e.tenant_id = c.tenant_id having min(e.seq) = c.last_seq)`,
      [tenantIds],
    );
  await expect.poll(behind, { timeout: 60_000 }).toEqual([]);
}

describe('X.14 workers that share the tenants', () => {
  it('take over those of one that was killed, and of one that is paused, which gets others when it awakens', async () => {
    const tenantIds = Array.from({ length: TENANTS }, newTenant);
    const [first] = [await startWorker(), await startWorker()];
    const half = PARTITIONS / 2;
    await expect.poll(shares, SHARED).toEqual([half, half]);
    await eventsAreHandled(tenantIds);

    await first.kill();
    await eventsAreHandled(tenantIds);
    await expect.poll(shares, SHARED).toEqual([PARTITIONS]);

    const paused = await startWorker();
    await expect.poll(shares, SHARED).toEqual([half, half]);
    await eventsAreHandled(tenantIds);
    process.kill(paused.pid, 'SIGSTOP');
    await eventsAreHandled(tenantIds);
    await expect.poll(shares, SHARED).toEqual([PARTITIONS]);
    const before = new Map((await partitions()).map((each) => [each.name, each]));
    process.kill(paused.pid, 'SIGCONT');
    // It finds out that it has lost its share, and is given another.
    await expect.poll(shares, SHARED).toEqual([half, half]);
    const given = (await partitions()).filter(({ name, owner }) => owner !== before.get(name)?.owner);
    expect(given).toHaveLength(half);
    for (const { name, fence } of given)
      expect(fence, 'a partition that it has now has a new fence').toBeGreaterThan(
        before.get(name)?.fence ?? Infinity,
      );
    await eventsAreHandled(tenantIds);
  });
});
