import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  standingCluster,
  signedUser,
  signedUsers,
  type Cluster,
  type SignedUser,
} from '../support/cluster.js';
import { inParallel, redeemAll, redeemOnce, redemptionsOf, tallyOf } from '../support/redeemers.js';
import { holdRows } from '../support/row-lock.js';
import { expectExactly, truthOf } from '../support/truth.js';
import { seedCampaign, seedTenant } from '../support/world.js';

let cluster: Cluster;
beforeAll(async () => {
  cluster = await standingCluster();
});
afterAll(async () => cluster?.close());

async function userWithCodes(count: number, useLimit = 1) {
  const { world } = cluster;
  const tenant = await seedTenant(world);
  const { codes } = await seedCampaign(world, tenant, count, { rule: { useLimit } });
  const user = await signedUser(world, tenant.tenantId);
  return { ...tenant, codes: codes as readonly [string, ...string[]], user };
}

const times = <T>(count: number, item: T): T[] => Array.from({ length: count }, () => item);

describe('one user and one code', () => {
  it.each([
    { name: 'a single-use code', useLimit: 1 },
    { name: 'an unlimited code', useLimit: 0 },
  ])(
    'S0.5 100 parallel requests for $name are one redemption, and every answer names it',
    async ({ useLimit }) => {
      const { tenantId, codes, user } = await userWithCodes(1, useLimit);
      const answers = await redeemAll(cluster.urls, times(100, { user, code: codes[0] }));
      const { committed } = await expectExactly(cluster.world, tenantId, 1, answers);
      expect(redemptionsOf(answers)).toEqual(new Set([committed[0]?.id]));
      expect(new Set(answers.map(({ orderNo }) => orderNo))).toEqual(new Set([committed[0]?.id]));
      const refusals = answers.filter(({ outcome }) => outcome !== 'COMMITTED');
      expect(tallyOf(refusals)).toEqual(refusals.length === 0 ? {} : { ALREADY_REDEEMED: refusals.length });
    },
  );

  it('S0.6 a double click that reaches both processes at once is one redemption with one answer', async () => {
    const { world, urls } = cluster;
    const tenant = await seedTenant(world);
    const { codes } = await seedCampaign(world, tenant, 60);
    const users = await signedUsers(world, tenant.tenantId, 60);
    const pairs = await inParallel(users, async (user, index) => {
      const code = codes[index] ?? '';
      return Promise.all(urls.map(async (url) => redeemOnce(url, { user, code })));
    });
    for (const pair of pairs) {
      expect(redemptionsOf(pair).size).toBe(1);
      for (const { outcome } of pair) expect(['COMMITTED', 'ALREADY_REDEEMED']).toContain(outcome);
    }
    await expectExactly(world, tenant.tenantId, 60, pairs.flat());
  });
});

describe('one idempotency key', () => {
  it('S0.5 sent 50 times at once is answered 50 times the same, and is refused for another code', async () => {
    const { tenantId, codes, user } = await userWithCodes(2);
    const key = randomUUID();
    const answers = await redeemAll(cluster.urls, times(50, { user, code: codes[0], key }));
    expect(tallyOf(answers)).toEqual({ COMMITTED: 50 });
    expect(redemptionsOf(answers).size).toBe(1);
    const reused = await redeemAll(cluster.urls, times(10, { user, code: codes[1] ?? '', key }));
    expect(tallyOf(reused)).toEqual({ IDEMPOTENCY_KEY_REUSED: 10 });
    const again = await redeemAll(cluster.urls, times(10, { user, code: codes[0], key }));
    expect(again.map(({ outcome, redemption }) => ({ outcome, redemption }))).toEqual(
      times(10, { outcome: 'COMMITTED', redemption: answers[0]?.redemption }),
    );
    await expectExactly(cluster.world, tenantId, 1, answers);
  });

  it('S0.5 sent with two codes in parallel redeems exactly one of them', async () => {
    const { tenantId, codes, user } = await userWithCodes(2);
    const key = randomUUID();
    const wishes = Array.from({ length: 50 }, (_, index) => ({ user, code: codes[index % 2] ?? '', key }));
    // Both codes are asked for through both processes.
    const answers = await redeemAll([...cluster.urls, ...cluster.urls.toReversed()], wishes);
    expect(tallyOf(answers)).toEqual({ COMMITTED: 25, IDEMPOTENCY_KEY_REUSED: 25 });
    expect(
      new Set(answers.filter(({ outcome }) => outcome === 'COMMITTED').map(({ wish }) => wish.code)).size,
    ).toBe(1);
    await expectExactly(cluster.world, tenantId, 1, answers);
  });

  it('S0.5 keys that differ only in case are two keys', async () => {
    const { tenantId, codes, user } = await userWithCodes(2);
    const wishes = ['key-a', 'KEY-A'].map((key, index) => ({ user, code: codes[index] ?? '', key }));
    const answers = await redeemAll(cluster.urls, wishes);
    expect(tallyOf(answers)).toEqual({ COMMITTED: 2 });
    await expectExactly(cluster.world, tenantId, 2, answers);
  });

  it('S4.1 of one user means nothing for another user', async () => {
    const { world, urls } = cluster;
    const tenant = await seedTenant(world);
    const { codes } = await seedCampaign(world, tenant, 20);
    const users = await signedUsers(world, tenant.tenantId, 20);
    const answers = await redeemAll(
      urls,
      users.map((user, index) => ({ user, code: codes[index] ?? '', key: 'the-same' })),
    );
    expect(tallyOf(answers)).toEqual({ COMMITTED: 20 });
    await expectExactly(world, tenant.tenantId, 20, answers);
  });
});

/** Holds the user's row, so that a commit for this user waits; resolves to what lets it go. */
async function holdUser(user: SignedUser): Promise<() => Promise<void>> {
  const sql = 'select 1 from user where tenant_id = ? and id = ? for update';
  return holdRows(cluster.world, user.tenantId, sql, user.userId);
}

/** Until Redis holds a claim of the tenant, which is then about to be committed. */
async function claimed(tenantId: string): Promise<void> {
  const { redis } = cluster.world.stores;
  await expect.poll(async () => redis.zcard(`{${tenantId}}:open`), { interval: 10, timeout: 60_000 }).toBe(1);
}

describe('a retry while the first request is still being committed by the other process', () => {
  it.each([
    { name: 'S0.9 with the same key', key: 'retry' },
    { name: 'S0.6 without a key', key: undefined },
  ])('$name adopts the claim: one redemption, one answer', async ({ key }) => {
    const { tenantId, codes, user } = await userWithCodes(1);
    const wish = { user, code: codes[0], ...(key === undefined ? {} : { key }) };
    const letGo = await holdUser(user);
    const first = redeemOnce(cluster.urls[0], wish);
    await claimed(tenantId);
    const retries = redeemAll([cluster.urls[1]], times(5, wish));
    await pause(300);
    await letGo();
    const answers = [await first, ...(await retries)];
    expect(tallyOf(answers)).toEqual({ COMMITTED: 6 });
    expect(redemptionsOf(answers).size).toBe(1);
    await expectExactly(cluster.world, tenantId, 1, answers);
  });

  it('S0.9 the retry settles a redemption whose process was killed before its commit', async () => {
    const { tenantId, codes, user } = await userWithCodes(1);
    const wish = { user, code: codes[0], key: 'killed' };
    const doomed = await cluster.further();
    const letGo = await holdUser(user);
    const first = redeemOnce(doomed.url, wish).catch(() => 'lost');
    await claimed(tenantId);
    await doomed.kill();
    expect(await first).toBe('lost');
    expect((await truthOf(cluster.world, tenantId)).redemptions).toEqual([]);
    await letGo();
    const answers = await redeemAll(cluster.urls, times(10, wish));
    expect(tallyOf(answers)).toEqual({ COMMITTED: 10 });
    await expectExactly(cluster.world, tenantId, 1, answers);
  });
});
