import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Order } from '../../src/orders/orders/order.entity.js';
import { copyOf } from '../../src/codes/code-copy.service.js';
import { Code } from '../../src/codes/code.entity.js';
import { Subscription } from '../../src/subscriptions/subscription.entity.js';
import { factsAfter, factsOf, openClaims } from '../support/facts.js';
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

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => world?.close());

const first = (codes: readonly string[]): string => codes[0] ?? '';

describe('redeeming a code', () => {
  it('S0.13 commits redemption, finished order, grant and subscription together', async () => {
    const tenant = await seedTenant(world);
    const { codes, campaignId } = await seedCampaign(world, tenant, 1);
    const userId = await seedUser(world, tenant.tenantId);
    const answer = await redeem(world, tenant.tenantId, userId, first(codes));
    expect(answer).toMatchObject({
      status: 'COMMITTED',
      refusal: null,
      redemption: { campaignId, userId, useNo: 1, status: 'COMMITTED', rewards: [{ type: 'SUBSCRIPTION' }] },
    });
    expect(await factsOf(world, tenant.tenantId)).toEqual(factsAfter(1));
    const em = emOf(world, tenant.tenantId);
    const order = await em.findOneOrFail(Order, { id: answer.orderNo ?? '' });
    const subscription = await em.findOneOrFail(Subscription, { userId });
    expect(order).toMatchObject({
      type: 'REDEMPTION',
      status: 'FINISHED',
      userId,
      subscriptionId: subscription.id,
    });
    expect(subscription).toMatchObject({ planId: tenant.planId, trafficBytes: 1_000_000, orderId: order.id });
    expect(answer.redemption?.rewards[0]?.targetId).toBe(subscription.id);
    expect(await openClaims(world, tenant.tenantId)).toBe(0);
  });

  it('S4.7 tells missing, expired, used and redeemable codes apart', async () => {
    const tenant = await seedTenant(world);
    const { codes } = await seedCampaign(world, tenant, 3);
    const [used = '', expired = '', fresh = ''] = codes;
    const [early = '', late = ''] = await seedUsers(world, tenant.tenantId, 2);
    await redeem(world, tenant.tenantId, early, used);
    await emOf(world, tenant.tenantId).nativeUpdate(Code, { codeText: expired }, { expiresAt: new Date(0) });
    const answers = await Promise.all(
      ['ZZZZZZZZZZZZZZZZ', expired, used, fresh].map(async (code) =>
        redeem(world, tenant.tenantId, late, code),
      ),
    );
    expect(answers.map(outcomeOf)).toEqual(['CODE_NOT_FOUND', 'CODE_EXPIRED', 'CODE_EXHAUSTED', 'COMMITTED']);
  });

  it('S0.3 leaves no trace of disabled, deleted and unknown codes', async () => {
    const tenant = await seedTenant(world);
    const { codes } = await seedCampaign(world, tenant, 2);
    const userId = await seedUser(world, tenant.tenantId);
    const em = emOf(world, tenant.tenantId);
    const [disabled, deleted] = await em.find(
      Code,
      { codeText: { $in: [...codes] } },
      { orderBy: { id: 'asc' } },
    );
    await world.services.codeChanges.setEnabled(tenant.tenantId, disabled?.id ?? '', false);
    await world.services.codeChanges.delete(tenant.tenantId, [deleted?.id ?? '']);
    const typed = [disabled?.codeText ?? '', deleted?.codeText ?? '', 'ABCDEFGH23456789'];
    const answers = await Promise.all(
      typed.map(async (code) => redeem(world, tenant.tenantId, userId, code)),
    );
    expect(answers.map(outcomeOf)).toEqual(['CODE_INACTIVE', 'CODE_NOT_FOUND', 'CODE_NOT_FOUND']);
    expect(answers.every((answer) => answer.redemption === null && answer.orderNo === null)).toBe(true);
    expect(await factsOf(world, tenant.tenantId)).toEqual(factsAfter(0));
    expect(await openClaims(world, tenant.tenantId)).toBe(0);
  });

  it('S4.8 refuses inactive campaigns and foreign product lines before anything is claimed', async () => {
    const tenant = await seedTenant(world);
    const userId = await seedUser(world, tenant.tenantId);
    const draft = await seedCampaign(world, tenant, 1, { isActive: false });
    const bound = await seedCampaign(world, tenant, 1, { rule: { applicableProducts: ['APP_A'] } });
    const over = await seedCampaign(world, tenant, 1, { campaign: { endsAt: new Date(1_000_000) } });
    const answers = await Promise.all(
      [draft, bound, over].map(async ({ codes }) => redeem(world, tenant.tenantId, userId, first(codes))),
    );
    expect(answers.map(outcomeOf)).toEqual([
      'CAMPAIGN_NOT_ACTIVE',
      'PRODUCT_NOT_ALLOWED',
      'CAMPAIGN_NOT_ACTIVE',
    ]);
    expect(await factsOf(world, tenant.tenantId)).toEqual(factsAfter(0));
    const allowed = await redeem(world, tenant.tenantId, userId, first(bound.codes), {
      productCode: 'APP_A',
    });
    expect(outcomeOf(allowed)).toBe('COMMITTED');
  });

  it('S4.1 keeps the same code of two tenants apart, and a foreign code is as good as unknown', async () => {
    const [one, two] = [await seedTenant(world), await seedTenant(world)];
    const { codes } = await seedCampaign(world, one, 2);
    const twin = await seedCampaign(world, two, 1);
    const [shared = '', onlyOne = ''] = codes;
    const { recognizer } = world.services;
    // The other tenant gets a code of the very same text.
    await emOf(world, two.tenantId).nativeUpdate(
      Code,
      { codeText: first(twin.codes) },
      {
        codeText: shared,
        codeDigest: recognizer.digests(two.tenantId, recognizer.canonicalize(shared) ?? '')[0] ?? '',
      },
    );
    const [userOne, userTwo] = [await seedUser(world, one.tenantId), await seedUser(world, two.tenantId)];
    expect(outcomeOf(await redeem(world, one.tenantId, userOne, shared))).toBe('COMMITTED');
    expect(outcomeOf(await redeem(world, two.tenantId, userTwo, shared))).toBe('COMMITTED');
    const foreign = await redeem(world, two.tenantId, userTwo, onlyOne);
    const unknown = await redeem(world, two.tenantId, userTwo, 'ABCDEFGH23456789');
    expect(foreign).toEqual(unknown);
    expect(outcomeOf(foreign)).toBe('CODE_NOT_FOUND');
    expect(await factsOf(world, one.tenantId)).toEqual(factsAfter(1));
    expect(await factsOf(world, two.tenantId)).toEqual(factsAfter(1));
  });

  it('S4.13 honours the end of a code to the instant, by the clock of the claim', async () => {
    const tenant = await seedTenant(world);
    const { codes } = await seedCampaign(world, tenant, 1, { rule: { validDays: 30 } });
    const em = emOf(world, tenant.tenantId);
    const code = await em.findOneOrFail(Code, { codeText: first(codes) }, { disableIdentityMap: true });
    expect((code.expiresAt?.getTime() ?? 0) - code.issuedAt.getTime()).toBe(30 * 86_400_000);
    const userId = await seedUser(world, tenant.tenantId);
    const key = `{${tenant.tenantId}}:code:${code.codeDigest}`;
    await redeem(world, tenant.tenantId, userId, first(codes), { productCode: 'NONE' });
    await world.services.copies.store(
      tenant.tenantId,
      [copyOf(code)],
      await world.services.copies.epoch(tenant.tenantId),
    );
    const nowMs = Date.now();
    await world.stores.redis.hset(key, 'expires_ms', nowMs);
    expect(outcomeOf(await redeem(world, tenant.tenantId, userId, first(codes)))).toBe('CODE_EXPIRED');
    await world.stores.redis.hset(key, 'expires_ms', nowMs + 60_000);
    expect(outcomeOf(await redeem(world, tenant.tenantId, userId, first(codes)))).toBe('COMMITTED');
  });

  it('S4.11 lets a 3-use code be used by three users, once by each', async () => {
    const tenant = await seedTenant(world);
    const { codes } = await seedCampaign(world, tenant, 1, { rule: { useLimit: 3 } });
    const users = await seedUsers(world, tenant.tenantId, 4);
    const [one = ''] = users;
    const answers = [];
    for (const userId of [one, one, ...users.slice(1)])
      answers.push(await redeem(world, tenant.tenantId, userId, first(codes)));
    expect(answers.map(outcomeOf)).toEqual([
      'COMMITTED',
      'ALREADY_REDEEMED',
      'COMMITTED',
      'COMMITTED',
      'CODE_EXHAUSTED',
    ]);
    expect(answers.map((answer) => answer.redemption?.useNo ?? null)).toEqual([1, 1, 2, 3, null]);
    expect(await factsOf(world, tenant.tenantId)).toEqual(factsAfter(3));
  });

  it('S0.15 counts first redemptions as new, and a redemption does not use that up', async () => {
    const tenant = await seedTenant(world);
    const { codes } = await seedCampaign(world, tenant, 3);
    const userId = await seedUser(world, tenant.tenantId);
    const em = emOf(world, tenant.tenantId);
    const isNew = async (orderNo: string | null) =>
      (await em.findOneOrFail(Order, { id: orderNo ?? '' }, { disableIdentityMap: true })).isNew;
    const [a = '', b = '', c = ''] = codes;
    expect(await isNew((await redeem(world, tenant.tenantId, userId, a)).orderNo)).toBe(true);
    expect(await isNew((await redeem(world, tenant.tenantId, userId, b)).orderNo)).toBe(true);
    await em.insert(Order, {
      tenantId: tenant.tenantId,
      id: world.services.ids.next(),
      userId,
      type: 'PURCHASE',
      status: 'PAID',
      amount: '9.90',
      isNew: true,
      subscriptionId: null,
      createdAt: new Date(),
      finishedAt: null,
    });
    expect(await isNew((await redeem(world, tenant.tenantId, userId, c)).orderNo)).toBe(false);
  });

  it('S0.14 extends at the plan quota, and refuses a new subscription there without an order', async () => {
    const tenant = await seedTenant(world, { quotaPerUser: 1 });
    const { codes } = await seedCampaign(world, tenant, 2);
    const userId = await seedUser(world, tenant.tenantId);
    await redeem(world, tenant.tenantId, userId, codes[0] ?? '');
    expect(outcomeOf(await redeem(world, tenant.tenantId, userId, codes[1] ?? ''))).toBe('COMMITTED');
    expect(await factsOf(world, tenant.tenantId)).toEqual(factsAfter(2, 1));

    const stopped = await seedUser(world, tenant.tenantId);
    const more = await seedCampaign(world, tenant, 2);
    await redeem(world, tenant.tenantId, stopped, more.codes[0] ?? '');
    const em = emOf(world, tenant.tenantId);
    await em.nativeUpdate(Subscription, { userId: stopped }, { status: 'PENDING' });
    const refused = await redeem(world, tenant.tenantId, stopped, more.codes[1] ?? '');
    expect(outcomeOf(refused)).toBe('PLAN_QUOTA_REACHED');
    expect(refused.orderNo).toBeNull();
    expect(await factsOf(world, tenant.tenantId)).toEqual(factsAfter(3, 2));
  });

  it('S0.4 gives a 3-use code to exactly three of a hundred users at once', async () => {
    const tenant = await seedTenant(world);
    const { codes } = await seedCampaign(world, tenant, 1, { rule: { useLimit: 3 } });
    const users = await seedUsers(world, tenant.tenantId, 100);
    const answers = await Promise.all(
      users.map(async (userId) => redeem(world, tenant.tenantId, userId, first(codes))),
    );
    const counts = tally(answers);
    expect(counts['COMMITTED']).toBe(3);
    expect((counts['CODE_HELD'] ?? 0) + (counts['CODE_EXHAUSTED'] ?? 0)).toBe(97);
    expect(await factsOf(world, tenant.tenantId)).toEqual(factsAfter(3));
    expect(await openClaims(world, tenant.tenantId)).toBe(0);
  });

  it('S4.9 gives a one-use code to exactly one of a hundred users at once', async () => {
    const tenant = await seedTenant(world);
    const { codes } = await seedCampaign(world, tenant, 1);
    const users = await seedUsers(world, tenant.tenantId, 100);
    const answers = await Promise.all(
      users.map(async (userId) => redeem(world, tenant.tenantId, userId, first(codes))),
    );
    expect(tally(answers)['COMMITTED']).toBe(1);
    expect(await factsOf(world, tenant.tenantId)).toEqual(factsAfter(1));
  });

  it('S0.5 answers twenty parallel requests of one user with one redemption', async () => {
    const tenant = await seedTenant(world);
    const { codes } = await seedCampaign(world, tenant, 1, { rule: { useLimit: 50 } });
    const userId = await seedUser(world, tenant.tenantId);
    const answers = await Promise.all(
      Array.from({ length: 20 }, async () => redeem(world, tenant.tenantId, userId, first(codes))),
    );
    expect(new Set(answers.map((answer) => answer.redemption?.id)).size).toBe(1);
    expect(new Set(answers.map((answer) => answer.orderNo)).size).toBe(1);
    expect(answers.every((answer) => ['COMMITTED', 'ALREADY_REDEEMED'].includes(outcomeOf(answer)))).toBe(
      true,
    );
    expect(await factsOf(world, tenant.tenantId)).toEqual(factsAfter(1));
  });
});
