import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { connectRedis } from '../../src/platform/redis/redis.js';
import type { Cluster } from '../support/cluster.js';
import { openBeforeAll } from '../support/open-before-all.js';
import {
  ANSWERED_MS_MAX,
  askOnce,
  expectAllRedeemed,
  expectRecovery,
  note,
  openRedisOutage,
  sceneOf,
  slowest,
  withLag,
} from '../support/outage.js';
import { PASSING_IN_OUTAGES, redeemAll, tallyOf } from '../support/redeemers.js';
import type { RedisServer } from '../support/redis-server.js';
import type { TcpForwarder } from '../support/tcp-forwarder.js';
import { expectExactly } from '../support/truth.js';
import { PATIENT } from '../support/world.js';

let redis: RedisServer;
let forwarder: TcpForwarder;
let cluster: Cluster;
openBeforeAll(async (closing) => {
  ({ redis, forwarder, cluster } = await openRedisOutage(closing, {
    STORE_TIMEOUT_MS: '1000',
    COMMIT_BATCH_MAX: '8',
    CLAIM_DEADLINE_MS: '3000',
    SWEEP_EVERY_MS: '1000',
  }));
});

/**
 * How long an action goes on at most: on a busy machine one that comes every 40 ms would leave no attempt the time for
 * its round trips, and clients would give up.
 */
const ACTING_MS_MAX = 5000;

/** Repeats an action until the work is done; answers how often. */
async function meanwhile<T>(
  everyMs: number,
  act: () => Promise<unknown> | void,
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly times: number }> {
  let times = 0;
  const done = new AbortController();
  const acting = (async () => {
    const untilMs = performance.now() + ACTING_MS_MAX;
    while (!done.signal.aborted && performance.now() < untilMs) {
      await pause(everyMs);
      await act();
      times += 1;
    }
  })();
  try {
    return { result: await work(), times };
  } finally {
    done.abort();
    await acting;
  }
}

describe('under load, while Redis', () => {
  it('S0.10 is killed repeatedly, 300 users redeem 300 codes, each exactly once', async () => {
    const { tenantId, wishes } = await sceneOf(cluster, 300);
    const kill = async (): Promise<void> => {
      await redis.kill();
      await pause(200);
      await redis.start();
    };
    const { result, times } = await meanwhile(150, kill, async () =>
      redeemAll(cluster.urls, wishes, PASSING_IN_OUTAGES),
    );
    expect(times, 'Redis was killed in the middle').toBeGreaterThan(1);
    expect(tallyOf(result)).toEqual({ COMMITTED: 300 });
    await expectExactly(cluster.world, tenantId, 300, result);
  });

  it('S0.10 loses its connections repeatedly, 300 users redeem 300 codes, each exactly once', async () => {
    const { tenantId, wishes } = await sceneOf(cluster, 300);
    const cut = (): void => forwarder.cut();
    const { result, times } = await meanwhile(40, cut, async () =>
      redeemAll(cluster.urls, wishes, PASSING_IN_OUTAGES),
    );
    expect(times, 'connections were cut in the middle').toBeGreaterThan(3);
    expect(tallyOf(result)).toEqual({ COMMITTED: 300 });
    await expectExactly(cluster.world, tenantId, 300, result);
  });

  it('S0.10 forgets its scripts repeatedly, no call is lost', async () => {
    const { tenantId, wishes } = await sceneOf(cluster, 300);
    const flush = async (): Promise<unknown> => cluster.world.stores.redis.script('FLUSH');
    // Of these processes a call fails only where it is lost, not where the machine is busy.
    const patient = await Promise.all([cluster.further(PATIENT), cluster.further(PATIENT)]);
    const urls = patient.map(({ url }) => url);
    const { result, times } = await meanwhile(10, flush, async () => redeemAll(urls, wishes, []));
    await Promise.all(patient.map(async (each) => each.stop()));
    expect(times, 'scripts were forgotten in the middle').toBeGreaterThan(1);
    expect(tallyOf(result)).toEqual({ COMMITTED: 300 });
    await expectExactly(cluster.world, tenantId, 300, result);
  });
});

/** Fills Redis with this many keys. */
async function fillWith(keys: number): Promise<void> {
  const own = connectRedis(redis.url, 5000);
  await own.flushall();
  await own.bgrewriteaof();
  // Else the former content is loaded again, at a millisecond per command.
  while (!(await own.info('persistence')).includes('aof_rewrite_in_progress:0')) await pause(20);
  await own.eval(`for i = 1, ${keys} do redis.call('SET', 'filler:' .. i, i) end`, 0);
  own.disconnect();
}

describe('while Redis', () => {
  it('S0.10 loads its data after a restart every redemption answers in time, and works again soon after', async () => {
    const scene = await sceneOf(cluster, 24);
    // Longer than it takes to be asked, also on a busy machine.
    await fillWith(4000);
    await redis.stop();
    // A millisecond for each key.
    redis.launch('--key-load-delay', '1000');
    await pause(200);
    const ask = async () => askOnce(cluster.urls, scene.wishes.slice(0, 20));
    const { result: during, lagMs } = await withLag(cluster.urls, ask);
    expect(tallyOf(during)).toEqual({ SERVICE_UNAVAILABLE: 20 });
    await redis.loaded();
    const recoveredMs = await expectRecovery(cluster.urls, scene.wishes.slice(20));
    note('Redis reads its data', {
      'slowest answer ms': slowest(during),
      lagMs,
      'recovered ms': recoveredMs,
    });
    expect(slowest(during)).toBeLessThanOrEqual(ANSWERED_MS_MAX + 2 * lagMs);
    await expectAllRedeemed(cluster, scene);
  });

  it('S0.10 vanishes without closing its connections, and another one takes its place, redemption works again within seconds', async () => {
    const scene = await sceneOf(cluster, 44);
    const before = await redeemAll(cluster.urls, scene.wishes.slice(0, 20), PASSING_IN_OUTAGES);
    expect(tallyOf(before)).toEqual({ COMMITTED: 20 });
    // A request that comes late must not find the other one yet.
    forwarder.mute(true);
    forwarder.deaden();
    const ask = async () => askOnce(cluster.urls, scene.wishes.slice(20, 40));
    const { result: during, lagMs } = await withLag(cluster.urls, ask);
    forwarder.mute(false);
    expect(tallyOf(during)).toEqual({ SERVICE_UNAVAILABLE: 20 });
    const recoveredMs = await expectRecovery(cluster.urls, scene.wishes.slice(40));
    note('Redis gone without a word', {
      'slowest answer ms': slowest(during),
      lagMs,
      'recovered ms': recoveredMs,
    });
    expect(slowest(during)).toBeLessThanOrEqual(ANSWERED_MS_MAX + 2 * lagMs);
    await expectAllRedeemed(cluster, scene);
  });
});
