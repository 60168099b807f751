import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { standingCluster, signedUsers, type Cluster } from '../support/cluster.js';
import { redeemAll, tallyOf } from '../support/redeemers.js';
import { expectExactly, expectPublished } from '../support/truth.js';
import { seedCampaign, seedTenant } from '../support/world.js';

let cluster: Cluster;
beforeAll(async () => {
  cluster = await standingCluster();
});

/** No user is asked to try again: the first answer is final, unless the server is too slow for any. */
const FINAL = ['PROCESSING'];
afterAll(async () => cluster?.close());

/** That many users ask for the same code, in parallel and over both processes. */
async function race(useLimit: number, userCount: number) {
  const { world, urls } = cluster;
  const tenant = await seedTenant(world);
  const { codes } = await seedCampaign(world, tenant, 1, { rule: { useLimit } });
  const users = await signedUsers(world, tenant.tenantId, userCount);
  const code = codes[0] ?? '';
  const answers = await redeemAll(
    urls,
    users.map((user) => ({ user, code })),
    FINAL,
  );
  return { ...tenant, answers };
}

describe('many users and one code, over two processes', () => {
  const rows = [
    { name: 'S4.9 1,000 requests for a single-use code make exactly 1 redemption', limit: 1, users: 1000 },
    { name: 'S4.11 100 users of a 2-use code make exactly 2 redemptions', limit: 2, users: 100 },
    { name: 'S0.4 100 users of a 3-use code make exactly 3 redemptions', limit: 3, users: 100 },
    { name: 'S4.11 200 users of a 7-use code make exactly 7 redemptions', limit: 7, users: 200 },
    {
      name: 'S4.11 1,200 users of a 1,000-use code make exactly 1,000 redemptions',
      limit: 1000,
      users: 1200,
    },
  ];
  it.each(rows)('$name', async ({ limit, users }) => {
    const { tenantId, answers } = await race(limit, users);
    expect(tallyOf(answers)).toEqual({ COMMITTED: limit, CODE_EXHAUSTED: users - limit });
    const { codes } = await expectExactly(cluster.world, tenantId, limit, answers);
    await expectPublished(cluster.world, tenantId);
    expect(codes.map(({ used, useLimit }) => [used, useLimit])).toEqual([[limit, limit]]);
  });

  it('S4.11 an unlimited code is redeemed by each of 300 users', async () => {
    const { tenantId, answers } = await race(0, 300);
    expect(tallyOf(answers)).toEqual({ COMMITTED: 300 });
    await expectExactly(cluster.world, tenantId, 300, answers);
  });
});

it('S4.1 the same race in two tenants at once gives each its own use', async () => {
  const [one, other] = await Promise.all([race(1, 50), race(1, 50)]);
  for (const { tenantId, answers } of [one, other]) {
    expect(tallyOf(answers)).toEqual({ COMMITTED: 1, CODE_EXHAUSTED: 49 });
    await expectExactly(cluster.world, tenantId, 1, answers);
  }
});

it('S4.9 200 users and 200 codes in any order: each code is redeemed once, by the user who is answered COMMITTED', async () => {
  const { world, urls } = cluster;
  const tenant = await seedTenant(world);
  const { codes } = await seedCampaign(world, tenant, 200);
  const users = await signedUsers(world, tenant.tenantId, 200);
  // Each code is wanted by two users, who come to it at different times and through different processes.
  const wishes = users.flatMap((user, index) => [
    { user, code: codes[index] ?? '' },
    { user, code: codes[(index + 7) % 200] ?? '' },
  ]);
  const answers = await redeemAll(urls, wishes, FINAL);
  expect(tallyOf(answers)).toEqual({ COMMITTED: 200, CODE_EXHAUSTED: 200 });
  await expectExactly(world, tenant.tenantId, 200, answers);
});
