import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { openBeforeAll } from '../support/open-before-all.js';
import { emptyRedis } from '../support/redis-keys.js';
import { startCluster, signedUser, signedUsers, type Cluster } from '../support/cluster.js';
import { startOwnStores } from '../support/own-stores.js';
import {
  PASSING_IN_OUTAGES,
  redeemAll,
  redemptionsOf,
  tallyOf,
  type RedeemWish,
} from '../support/redeemers.js';
import { expectExactly, expectPublished } from '../support/truth.js';
import { seedCampaign, seedTenant } from '../support/world.js';

const FLUSH_EVERY_MS = 60;

let cluster: Cluster;
openBeforeAll(async (closing) => {
  const stores = await closing(startOwnStores());
  // Small transactions, so that a flush falls between the two stores of many of them.
  const environment = { COMMIT_BATCH_MAX: '8', COMMIT_LANES: '4' };
  cluster = await closing(startCluster({ ...stores, mayComplain: true, environment }));
});

/** Empties this file's private Redis repeatedly until the work is done; answers how often. */
async function whileFlushing<T>(work: () => Promise<T>): Promise<{ result: T; flushes: number }> {
  let flushes = 0;
  const done = new AbortController();
  const flushing = (async () => {
    while (!done.signal.aborted) {
      await pause(FLUSH_EVERY_MS);
      await emptyRedis(cluster.world.stores.redis);
      flushes += 1;
    }
  })();
  try {
    return { result: await work(), flushes };
  } finally {
    done.abort();
    await flushing;
  }
}

async function race(useLimit: number, codeCount: number, wishesOf: (codes: readonly string[]) => number[]) {
  const { world, urls } = cluster;
  const tenant = await seedTenant(world);
  const { codes } = await seedCampaign(world, tenant, codeCount, { rule: { useLimit } });
  const order = wishesOf(codes);
  const users = await signedUsers(world, tenant.tenantId, order.length);
  const wishes = users.map((user, index): RedeemWish => ({ user, code: codes[order[index] ?? 0] ?? '' }));
  const { result, flushes } = await whileFlushing(async () => redeemAll(urls, wishes, PASSING_IN_OUTAGES));
  expect(flushes, 'Redis was emptied in the middle').toBeGreaterThan(3);
  return { ...tenant, wishes, answers: result };
}

const allOnOne = (count: number) => () => Array.from({ length: count }, () => 0);

describe('while Redis is emptied repeatedly', () => {
  it.each([
    { name: 'S4.20 a single-use code is redeemed by exactly 1 of 300 users', limit: 1 },
    { name: 'S4.20 a 7-use code is redeemed by exactly 7 of 300 users', limit: 7 },
    { name: 'S4.20 a 150-use code is redeemed by exactly 150 of 300 users', limit: 150 },
  ])('$name', async ({ limit }) => {
    const { tenantId, answers } = await race(limit, 1, allOnOne(300));
    expect(tallyOf(answers)).toEqual({ COMMITTED: limit, CODE_EXHAUSTED: 300 - limit });
    await expectExactly(cluster.world, tenantId, limit, answers);
  });

  it('S4.20 300 users redeem 300 codes, each exactly once, and no user redeems one twice', async () => {
    const { tenantId, wishes, answers } = await race(1, 300, (codes) => codes.map((_, index) => index));
    expect(tallyOf(answers)).toEqual({ COMMITTED: 300 });
    const { result: again } = await whileFlushing(async () =>
      redeemAll(cluster.urls, wishes, PASSING_IN_OUTAGES),
    );
    expect(tallyOf(again)).toEqual({ ALREADY_REDEEMED: 300 });
    expect(again.map(({ redemption }) => redemption)).toEqual(answers.map(({ redemption }) => redemption));
    await expectExactly(cluster.world, tenantId, 300, answers);
    await expectPublished(cluster.world, tenantId);
  });

  it('S4.20 a key sent 200 times at once is one redemption with one answer', async () => {
    const { world, urls } = cluster;
    const tenant = await seedTenant(world);
    const { codes } = await seedCampaign(world, tenant, 1, { rule: { useLimit: 0 } });
    const user = await signedUser(world, tenant.tenantId);
    const wishes = Array.from({ length: 200 }, () => ({ user, code: codes[0] ?? '', key: 'flushed' }));
    const { result: answers } = await whileFlushing(async () => redeemAll(urls, wishes, PASSING_IN_OUTAGES));
    expect(tallyOf(answers)).toEqual({ COMMITTED: 200 });
    expect(redemptionsOf(answers).size).toBe(1);
    await expectExactly(world, tenant.tenantId, 1, answers);
  });

  it('S4.20 limits of users and budgets hold', async () => {
    const { world, urls } = cluster;
    const tenant = await seedTenant(world);
    const campaign = { userLimitTotal: 2, budgetUses: 50 };
    const { codes } = await seedCampaign(world, tenant, 160, { campaign });
    const users = await signedUsers(world, tenant.tenantId, 40);
    const wishes = users.flatMap((user, index) =>
      codes.slice(index * 4, index * 4 + 4).map((code): RedeemWish => ({ user, code })),
    );
    const { result: answers } = await whileFlushing(async () => redeemAll(urls, wishes, PASSING_IN_OUTAGES));
    expect(tallyOf(answers)['COMMITTED']).toBe(50);
    const { usage } = await expectExactly(world, tenant.tenantId, 50, answers);
    expect(usage.find(({ userId }) => userId === '0')?.uses).toBe(50);
    expect(Math.max(...usage.filter(({ userId }) => userId !== '0').map(({ uses }) => uses))).toBe(2);
  });
});
