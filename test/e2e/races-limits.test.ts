import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { CreateCampaign } from '../../src/campaigns/campaign-input.js';
import { systemClock } from '../../src/platform/clock.js';
import { startRound } from '../faults/load/round.js';
import { startCluster, signedUsers, type Cluster } from '../support/cluster.js';
import { redeemAll, tallyOf } from '../support/redeemers.js';
import { expectExactly, type Truth } from '../support/truth.js';
import { seedCampaign, seedTenant } from '../support/world.js';

const DAY_MS = 86_400_000;
const SEED = 20_261_121;

let cluster: Cluster;
beforeAll(async () => {
  // Many small transactions at once: a batch that holds the whole race would never meet another one.
  cluster = await startCluster({
    environment: { COMMIT_BATCH_MAX: '3', COMMIT_LANES: '6', REPLY_WITHIN_MS: '20000' },
  });
});
afterAll(async () => cluster?.close());

/** Each user tries their own codes, all in parallel and over both processes. */
async function race(limits: Partial<CreateCampaign>, userCount: number, codesEach: number, value = '0') {
  const { world, urls } = cluster;
  const tenant = await seedTenant(world);
  const rule = { rewardRules: [{ type: 'SUBSCRIPTION', id: tenant.planId, value }] };
  const seed = { rule, campaign: limits };
  const { codes, campaignId } = await seedCampaign(world, tenant, userCount * codesEach, seed);
  const users = await signedUsers(world, tenant.tenantId, userCount);
  const wishes = codes.map((code, index) => ({ user: users[index % userCount] ?? never(), code }));
  const answers = await redeemAll(urls, wishes);
  return { ...tenant, campaignId, users, answers };
}

function never(): never {
  throw new Error('There is a user for each code.');
}

/** What the counters say: uses and value by user, "0" for all of them together. */
function counted({ usage }: Truth): Record<string, { uses: number; value: number }> {
  return Object.fromEntries(usage.map(({ userId, uses, value }) => [userId, { uses, value: Number(value) }]));
}

describe('the limit of a user in a campaign', () => {
  it('I1 one user with 10 codes and a limit of 3 redeems exactly 3', async () => {
    const { tenantId, answers, users } = await race({ userLimitTotal: 3 }, 1, 10);
    expect(tallyOf(answers)).toEqual({ COMMITTED: 3, USER_LIMIT_REACHED: 7 });
    // Three redemptions of one plan extend one subscription, which is what expectExactly looks for.
    const truth = await expectExactly(cluster.world, tenantId, 3, answers);
    expect(counted(truth)).toEqual({ [users[0]?.userId ?? '']: { uses: 3, value: 0 } });
  });

  it('I1 30 users with 4 codes each and a limit of 2 redeem exactly 2 each', async () => {
    const { tenantId, answers, users } = await race({ userLimitTotal: 2 }, 30, 4);
    expect(tallyOf(answers)).toEqual({ COMMITTED: 60, USER_LIMIT_REACHED: 60 });
    const truth = await expectExactly(cluster.world, tenantId, 60, answers);
    expect(counted(truth)).toEqual(
      Object.fromEntries(users.map(({ userId }) => [userId, { uses: 2, value: 0 }])),
    );
  });

  it('I1 a user redeems exactly as many codes on a day as the limit of a day says', async () => {
    await notAroundMidnight();
    const { tenantId, answers, users } = await race({ userLimitDay: 2 }, 10, 5);
    expect(tallyOf(answers)).toEqual({ COMMITTED: 20, USER_LIMIT_REACHED: 30 });
    const truth = await expectExactly(cluster.world, tenantId, 20, answers);
    expect(counted(truth)).toEqual(
      Object.fromEntries(users.map(({ userId }) => [userId, { uses: 2, value: 0 }])),
    );
    const today = Math.floor(systemClock.nowMs() / DAY_MS);
    expect(new Set(truth.usage.map(({ day }) => day))).toEqual(new Set([today]));
  });

  it('I1 a user at the limit is answered ALREADY_REDEEMED for a redeemed code, and the limit for another', async () => {
    const { world, urls } = cluster;
    const tenant = await seedTenant(world);
    const { codes } = await seedCampaign(world, tenant, 2, { campaign: { userLimitTotal: 1 } });
    const [user = never()] = await signedUsers(world, tenant.tenantId, 1);
    const [own = '', other = ''] = codes;
    const answers = await redeemAll(urls, [{ user, code: own }]);
    const wishes = [own, other, own, other].map((code) => ({ user, code }));
    const again = await redeemAll(urls, wishes);
    const expected = ['ALREADY_REDEEMED', 'USER_LIMIT_REACHED'];
    expect(again.map(({ outcome }) => outcome)).toEqual([...expected, ...expected]);
    await expectExactly(world, tenant.tenantId, 1, answers);
  });
});

describe('the budget of a campaign', () => {
  it('I1 a budget of 25 uses gives exactly 25 of 100 users their code', async () => {
    const { tenantId, answers } = await race({ budgetUses: 25 }, 100, 1);
    expect(tallyOf(answers)).toEqual({ COMMITTED: 25, BUDGET_EXHAUSTED: 75 });
    const truth = await expectExactly(cluster.world, tenantId, 25, answers);
    expect(counted(truth)).toEqual({ 0: { uses: 25, value: 0 } });
  });

  it('I1 a budget of value is spent to its edge, in exact decimals', async () => {
    const { tenantId, answers } = await race({ budgetValue: '2.5' }, 60, 1, '0.1');
    expect(tallyOf(answers)).toEqual({ COMMITTED: 25, BUDGET_EXHAUSTED: 35 });
    const truth = await expectExactly(cluster.world, tenantId, 25, answers);
    expect(counted(truth)).toEqual({ 0: { uses: 25, value: 2.5 } });
    expect(truth.usage[0]?.value).toMatch(/^2\.50*$/);
  });

  it('I1 a budget of value is never overdrawn by a reward that no longer fits', async () => {
    const { tenantId, answers } = await race({ budgetValue: '10' }, 50, 1, '0.75');
    expect(tallyOf(answers)).toEqual({ COMMITTED: 13, BUDGET_EXHAUSTED: 37 });
    const truth = await expectExactly(cluster.world, tenantId, 13, answers);
    expect(counted(truth)).toEqual({ 0: { uses: 13, value: 9.75 } });
  });

  it('I1 budget and user limit hold together', async () => {
    const { tenantId, answers } = await race({ budgetUses: 30, userLimitTotal: 2 }, 20, 4);
    const tally = tallyOf(answers);
    expect(tally['COMMITTED']).toBe(30);
    expect((tally['USER_LIMIT_REACHED'] ?? 0) + (tally['BUDGET_EXHAUSTED'] ?? 0)).toBe(50);
    const truth = await expectExactly(cluster.world, tenantId, 30, answers);
    for (const [userId, { uses }] of Object.entries(counted(truth))) {
      const rows = truth.committed.filter((row) => userId === '0' || row.userId === userId);
      expect(uses).toBe(rows.length);
      expect(uses).toBeLessThanOrEqual(userId === '0' ? 30 : 2);
    }
  });
});

/** A race that crosses midnight counts for two days. */
async function notAroundMidnight(): Promise<void> {
  const leftMs = DAY_MS - (systemClock.nowMs() % DAY_MS);
  if (leftMs < 20_000) await pause(leftMs + 100);
}

describe('a workload of many users that nothing disturbs', () => {
  it('I1 to I9 hold: every answer, row, copy, event and window fits, and no use is lost', async () => {
    const { urls, world, apis, worker } = cluster;
    const stores = { databaseUrl: inject('databaseUrl'), redisUrl: inject('redisUrl') };
    const settings = { seed: SEED, lengthMs: 800, settleMs: 30_000, deadlineGraceMs: 2000 };
    const round = await startRound({ urls, world, ...stores }, settings);
    await round.run();
    const { violations, evidence } = await round.judge([...apis, worker].map((each) => each.said()));
    await round.close();
    expect(violations).toEqual([]);
    const kinds = new Set(
      evidence.tries.map(({ outcome: o }) => (o.kind === 'REFUSED' ? o.refusal : o.kind)),
    );
    const met = ['COMMITTED', 'UNKNOWN', 'ALREADY_REDEEMED', 'CODE_EXHAUSTED', 'IDEMPOTENCY_KEY_REUSED'];
    const limits = ['RATE_LIMITED', 'BUDGET_EXHAUSTED', 'USER_LIMIT_REACHED'];
    expect([...kinds], 'the workload reaches the interesting answers').toEqual(
      expect.arrayContaining([...met, ...limits]),
    );
  });
});
