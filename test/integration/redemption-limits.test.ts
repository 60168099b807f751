import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CampaignUsage } from '../../src/campaigns/campaign-usage.entity.js';
import { keysOf } from '../support/redis-keys.js';
import { factsAfter, factsOf } from '../support/facts.js';
import {
  emOf,
  openWorld,
  outcomeOf,
  redeem,
  seedCampaign,
  seedTenant,
  seedUser,
  seedUsers,
  tally,
  type World,
} from '../support/world.js';
import { withinOne } from '../support/periods.js';

let world: World;
beforeAll(async () => {
  // Counts are asked for, and no answer may come before its commit.
  world = await openWorld({ REPLY_WITHIN_MS: '20000', CLAIM_DEADLINE_MS: '60000' });
});
afterAll(async () => world?.close());

const first = (codes: readonly string[]): string => codes[0] ?? '';

describe('rate limits of a product line', () => {
  it('S4.14 admits a hundred attempts an hour and tells the 101st how long to wait', async () => {
    const tenant = await seedTenant(world);
    const { codes } = await seedCampaign(world, tenant, 2, { rule: { useLimit: 0 } });
    const users = await seedUsers(world, tenant.tenantId, 110);
    const answers = await Promise.all(
      users.map(async (userId) =>
        redeem(world, tenant.tenantId, userId, first(codes), { productCode: 'APP_A' }),
      ),
    );
    expect(tally(answers)).toEqual({ COMMITTED: 100, RATE_LIMITED: 10 });
    const refused = answers.find((answer) => outcomeOf(answer) === 'RATE_LIMITED');
    expect(refused?.refusal?.retryAfterMs).toBeGreaterThan(3_590_000);
    expect(refused?.refusal?.retryAfterMs).toBeLessThanOrEqual(3_600_000);
    expect(await factsOf(world, tenant.tenantId)).toEqual(factsAfter(100));
    // Another line of the same tenant is not concerned.
    expect(outcomeOf(await redeem(world, tenant.tenantId, users[105] ?? '', first(codes)))).toBe('COMMITTED');
  });

  it('S4.14 rolls: an attempt counts for exactly an hour, refused ones never, and keys expire', async () => {
    const tenant = await seedTenant(world);
    const { codes } = await seedCampaign(world, tenant, 1, { rule: { useLimit: 0 } });
    const [a = '', b = '', c = ''] = await seedUsers(world, tenant.tenantId, 3);
    const key = `{${tenant.tenantId}}:rate:line:APP_A`;
    const { redis } = world.stores;
    const [seconds] = await redis.time();
    const hourAgoMs = Number(seconds) * 1000 - 3_600_000;
    for (let i = 0; i < 100; i += 1) await redis.zadd(key, hourAgoMs + 30_000, `old-${i}`);
    const asked = async (userId: string) =>
      redeem(world, tenant.tenantId, userId, first(codes), { productCode: 'APP_A' });
    const refused = await asked(a);
    expect(outcomeOf(refused)).toBe('RATE_LIMITED');
    expect(refused.refusal?.retryAfterMs).toBeLessThanOrEqual(31_000);
    expect(await redis.zcard(key)).toBe(100);
    for (let i = 0; i < 100; i += 1) await redis.zadd(key, hourAgoMs - 1000, `old-${i}`);
    expect(outcomeOf(await asked(b))).toBe('COMMITTED');
    expect(await redis.zcard(key)).toBe(101);
    const ttlMs = await redis.pttl(key);
    expect(ttlMs).toBeGreaterThan(86_300_000);
    expect(ttlMs).toBeLessThanOrEqual(86_400_000);
    // The day's window: a thousand in it, though the hour is free.
    for (let i = 0; i < 1000; i += 1) await redis.zadd(key, hourAgoMs - 1000, `day-${i}`);
    expect(outcomeOf(await asked(c))).toBe('RATE_LIMITED');
  });

  it('S4.14 counts failed attempts too, and replays of a known key not', async () => {
    const tenant = await seedTenant(world);
    const { codes } = await seedCampaign(world, tenant, 1);
    const userId = await seedUser(world, tenant.tenantId);
    const key = `{${tenant.tenantId}}:rate:line:APP_A`;
    const asked = async (code: string) =>
      redeem(world, tenant.tenantId, userId, code, { productCode: 'APP_A', idempotencyKey: 'k' });
    await asked('ABCDEFGH23456789');
    await asked(first(codes));
    expect(await world.stores.redis.zcard(key)).toBe(2);
    for (let i = 0; i < 5; i += 1) expect(outcomeOf(await asked(first(codes)))).toBe('COMMITTED');
    expect(await world.stores.redis.zcard(key)).toBe(2);
  });
});

describe('limits of a campaign', () => {
  it('hold for one user exactly, in total', async () => {
    const tenant = await seedTenant(world);
    const { codes } = await seedCampaign(world, tenant, 10, { campaign: { userLimitTotal: 3 } });
    const userId = await seedUser(world, tenant.tenantId);
    const answers = await Promise.all(
      codes.map(async (code) => redeem(world, tenant.tenantId, userId, code)),
    );
    expect(tally(answers)).toEqual({ COMMITTED: 3, USER_LIMIT_REACHED: 7 });
    const facts = await factsOf(world, tenant.tenantId);
    expect(facts).toEqual({ ...factsAfter(3, 1), tombstones: facts.tombstones });
    // Known to be reached, it is refused without a claim.
    const late = await seedCampaign(world, tenant, 1);
    expect(outcomeOf(await redeem(world, tenant.tenantId, userId, first(late.codes)))).toBe('COMMITTED');
  });

  it('hold for one user exactly, on one day', async () => {
    await withinOne(86_400_000, 20_000);
    const tenant = await seedTenant(world);
    const { codes, campaignId } = await seedCampaign(world, tenant, 6, { campaign: { userLimitDay: 2 } });
    const userId = await seedUser(world, tenant.tenantId);
    const answers = await Promise.all(
      codes.slice(0, 5).map(async (code) => redeem(world, tenant.tenantId, userId, code)),
    );
    expect(tally(answers)).toEqual({ COMMITTED: 2, USER_LIMIT_REACHED: 3 });
    // Yesterday's uses do not count today.
    const em = emOf(world, tenant.tenantId);
    const [today] = await em.find(CampaignUsage, { campaignId, userId });
    await em.nativeUpdate(CampaignUsage, { campaignId, userId }, { day: (today?.day ?? 1) - 1 });
    const spent = await keysOf(world.stores.redis, `{${tenant.tenantId}}:spent:*`);
    await world.stores.redis.del(spent);
    await em.nativeUpdate(
      (await import('../../src/redemption/history/redemption.entity.js')).Redemption,
      { userId },
      { claimedAt: new Date(Date.now() - 2 * 86_400_000) },
    );
    expect(outcomeOf(await redeem(world, tenant.tenantId, userId, codes[5] ?? ''))).toBe('COMMITTED');
  });

  it('hold for the budget of uses exactly, and raising it counts at once', async () => {
    const tenant = await seedTenant(world);
    const { codes, campaignId } = await seedCampaign(world, tenant, 60, { campaign: { budgetUses: 25 } });
    const users = await seedUsers(world, tenant.tenantId, 60);
    const answers = await Promise.all(
      codes.slice(0, 50).map(async (code, i) => redeem(world, tenant.tenantId, users[i] ?? '', code)),
    );
    expect(tally(answers)).toEqual({ COMMITTED: 25, BUDGET_EXHAUSTED: 25 });
    await world.services.campaignChanges.update(tenant.tenantId, campaignId, { budgetUses: 26 });
    const more = await Promise.all(
      codes.slice(50).map(async (code, i) => redeem(world, tenant.tenantId, users[50 + i] ?? '', code)),
    );
    expect(tally(more)).toEqual({ COMMITTED: 1, BUDGET_EXHAUSTED: 9 });
    expect((await factsOf(world, tenant.tenantId)).committed).toBe(26);
  });

  it('hold for the budget of value to the last cent', async () => {
    const tenant = await seedTenant(world);
    const { codes, campaignId } = await seedCampaign(world, tenant, 8, {
      campaign: { budgetValue: '0.3' },
      rule: { rewardRules: [{ type: 'SUBSCRIPTION', id: tenant.planId, value: '0.1' }] },
    });
    const users = await seedUsers(world, tenant.tenantId, 8);
    const answers = await Promise.all(
      codes.map(async (code, i) => redeem(world, tenant.tenantId, users[i] ?? '', code)),
    );
    expect(tally(answers)).toEqual({ COMMITTED: 3, BUDGET_EXHAUSTED: 5 });
    const usage = await emOf(world, tenant.tenantId).findOneOrFail(CampaignUsage, {
      campaignId,
      userId: '0',
    });
    expect(usage).toMatchObject({ uses: 3, value: '0.3000000000' });
  });

  it('count what was redeemed before the limit was set', async () => {
    const tenant = await seedTenant(world);
    const { codes, campaignId } = await seedCampaign(world, tenant, 6);
    const users = await seedUsers(world, tenant.tenantId, 6);
    for (const i of [0, 1, 2]) await redeem(world, tenant.tenantId, users[i] ?? '', codes[i] ?? '');
    await world.services.campaignChanges.update(tenant.tenantId, campaignId, { budgetUses: 4 });
    const answers = await Promise.all(
      [3, 4, 5].map(async (i) => redeem(world, tenant.tenantId, users[i] ?? '', codes[i] ?? '')),
    );
    expect(tally(answers)).toEqual({ COMMITTED: 1, BUDGET_EXHAUSTED: 2 });
  });

  it('count what was redeemed while the limit was off', async () => {
    const tenant = await seedTenant(world);
    const { codes, campaignId } = await seedCampaign(world, tenant, 8, { campaign: { budgetUses: 3 } });
    const users = await seedUsers(world, tenant.tenantId, 8);
    const asked = async (i: number) => redeem(world, tenant.tenantId, users[i] ?? '', codes[i] ?? '');
    await asked(0);
    await world.services.campaignChanges.update(tenant.tenantId, campaignId, { budgetUses: 0 });
    for (const i of [1, 2, 3, 4]) await asked(i);
    await world.services.campaignChanges.update(tenant.tenantId, campaignId, { budgetUses: 6 });
    const answers = await Promise.all([5, 6, 7].map(asked));
    expect(tally(answers)).toEqual({ COMMITTED: 1, BUDGET_EXHAUSTED: 2 });
  });

  it('let a smaller value through where a greater one does not fit', async () => {
    const tenant = await seedTenant(world);
    const rewardRules = [
      { type: 'SUBSCRIPTION', id: tenant.planId, value: '5', condition: { userTag: 'gold' } },
      { type: 'SUBSCRIPTION', id: tenant.planId, value: '1', condition: { userTag: 'plain' } },
    ];
    const { codes } = await seedCampaign(world, tenant, 2, {
      campaign: { budgetValue: '3' },
      rule: { rewardRules },
    });
    const [gold, plain] = [
      await seedUser(world, tenant.tenantId, ['gold']),
      await seedUser(world, tenant.tenantId, ['plain']),
    ];
    expect(outcomeOf(await redeem(world, tenant.tenantId, gold, codes[0] ?? ''))).toBe('BUDGET_EXHAUSTED');
    expect(outcomeOf(await redeem(world, tenant.tenantId, plain, codes[1] ?? ''))).toBe('COMMITTED');
  });
});
