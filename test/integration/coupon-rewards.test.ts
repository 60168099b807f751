import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CouponTemplate } from '../../src/orders/coupons/coupon-template.entity.js';
import { UserCoupon } from '../../src/orders/coupons/user-coupon.entity.js';
import { isDuplicateKey } from '../../src/platform/database/sql-errors.js';
import { RewardGrant } from '../../src/redemption/history/reward-grant.entity.js';
import { readRewardRule } from '../../src/rewards/reward-rule.js';
import {
  apply,
  consume,
  couponState,
  DAY_MS,
  giveBack,
  ledgerOf,
  openShop,
  seedTemplate,
  within,
  type Shop,
} from '../support/coupon-world.js';
import { redeemRewards, takeBack } from '../support/reward-reversals.js';
import {
  emOf,
  openWorld,
  outcomeOf,
  redeem,
  seedCampaign,
  seedUsers,
  tally,
  type World,
} from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => world?.close());

const couponsOf = async ({ tenantId }: Shop, redemptionId: string) =>
  emOf(world, tenantId).find(UserCoupon, { redemptionId }, { orderBy: { id: 'asc' } });

describe('a code that gives coupons', () => {
  it('issues as many as the rule says, with the terms of the template, and names the first', async () => {
    const shop = await openShop(world);
    const amount = await seedTemplate(shop, 'AMOUNT', { validDays: 30 });
    const rate = await seedTemplate(shop, 'RATE', { endsAt: new Date('2090-01-01T00:00:00Z') });
    const rules = [
      { type: 'COUPON', id: amount, quantity: 3 },
      { type: 'COUPON', id: rate },
    ];
    const redemptionId = await redeemRewards(shop, rules);
    const coupons = await couponsOf(shop, redemptionId);
    expect(coupons).toHaveLength(4);
    expect(coupons.slice(0, 3)).toMatchObject(
      [0, 1, 2].map((ordinal) => ({ rewardNo: 0, ordinal, templateId: amount, status: 'AVAILABLE' })),
    );
    const [first, , , last] = coupons;
    expect((first?.expiresAt?.getTime() ?? 0) - (first?.createdAt.getTime() ?? 0)).toBe(30 * DAY_MS);
    expect(last?.expiresAt?.toISOString()).toBe('2090-01-01T00:00:00.000Z');
    expect(await ledgerOf(shop, first?.id ?? '')).toEqual(['ISSUE 10']);
    const grants = await emOf(world, shop.tenantId).find(RewardGrant, {}, { orderBy: { rewardNo: 'asc' } });
    expect(grants.map(({ targetId }) => targetId)).toEqual([first?.id, last?.id]);
    const templates = await emOf(world, shop.tenantId).find(CouponTemplate, {}, { orderBy: { id: 'asc' } });
    expect(templates.map(({ issued }) => issued)).toEqual([3, 1]);
  });

  it.each([
    ['disabled', { enabled: false }],
    ['over', { endsAt: new Date('2020-01-01T00:00:00Z') }],
    ['not begun', { startsAt: new Date('2090-01-01T00:00:00Z') }],
    ['all given', { issueLimit: 1 }],
  ])('is refused and not spent where the template is %s', async (_state, terms) => {
    const shop = await openShop(world);
    const { tenantId, userId } = shop;
    const id = await seedTemplate(shop, 'AMOUNT', terms);
    const { codes } = await seedCampaign(world, shop, 1, {
      rule: { rewardRules: [{ type: 'COUPON', id, quantity: 2 }] },
    });
    expect(outcomeOf(await redeem(world, tenantId, userId, codes[0] ?? ''))).toBe('COUPON_NOT_ISSUABLE');
    expect(await emOf(world, tenantId).count(UserCoupon)).toBe(0);
  });

  it('is refused where two of its rewards together are more than the template has left', async () => {
    const shop = await openShop(world);
    const id = await seedTemplate(shop, 'AMOUNT', { issueLimit: 3 });
    const { codes } = await seedCampaign(world, shop, 2, {
      rule: { rewardRules: [2, 2].map((quantity) => ({ type: 'COUPON', id, quantity })) },
    });
    const { tenantId, userId } = shop;
    expect(outcomeOf(await redeem(world, tenantId, userId, codes[0] ?? ''))).toBe('COUPON_NOT_ISSUABLE');
    await world.services.couponTemplates.update(tenantId, id, { issueLimit: 4 });
    expect(outcomeOf(await redeem(world, tenantId, userId, codes[0] ?? ''))).toBe('COMMITTED');
    expect(outcomeOf(await redeem(world, tenantId, userId, codes[1] ?? ''))).toBe('COUPON_NOT_ISSUABLE');
  });

  it('is redeemed by 50 users with 10 coupons left: ten get one', async () => {
    const shop = await openShop(world);
    const { tenantId } = shop;
    const id = await seedTemplate(shop, 'AMOUNT', { issueLimit: 10 });
    const { codes } = await seedCampaign(world, shop, 50, {
      rule: { rewardRules: [{ type: 'COUPON', id }] },
    });
    const users = await seedUsers(world, tenantId, 50);
    const answers = await Promise.all(
      users.map(async (userId, at) => redeem(world, tenantId, userId, codes[at] ?? '')),
    );
    expect(tally(answers)).toEqual({ COMMITTED: 10, COUPON_NOT_ISSUABLE: 40 });
    expect(await emOf(world, tenantId).count(UserCoupon)).toBe(10);
    expect(await emOf(world, tenantId).count(RewardGrant)).toBe(10);
    expect((await emOf(world, tenantId).findOneOrFail(CouponTemplate, { id })).issued).toBe(10);
  });

  it('issues once for a redemption and a reward, also where it is committed again', async () => {
    const shop = await openShop(world);
    const { tenantId, userId } = shop;
    const id = await seedTemplate(shop, 'AMOUNT');
    const redemptionId = await redeemRewards(shop, [{ type: 'COUPON', id }]);
    const rule = readRewardRule({ type: 'COUPON', id, unit: null, quantity: 1, value: '0', condition: null });
    const again = within(shop, async (em) => {
      const of = { redemptionId, orderId: redemptionId, rewardNo: 0, userId, rule, claimedAtMs: Date.now() };
      const session = await world.services.handlers.get('COUPON')?.begin(em, tenantId, [of]);
      session?.apply(of);
      await session?.flush();
    });
    await expect(again).rejects.toSatisfy(isDuplicateKey);
    expect(await couponsOf(shop, redemptionId)).toHaveLength(1);
    expect((await emOf(world, tenantId).findOneOrFail(CouponTemplate, { id })).issued).toBe(1);
  });

  it('is previewed with its expiry, and a template of another tenant is refused with the campaign', async () => {
    const shop = await openShop(world);
    const foreign = await seedTemplate(await openShop(world), 'AMOUNT');
    const rule = { rewardRules: [{ type: 'COUPON', id: foreign }] };
    await expect(seedCampaign(world, shop, 1, { rule })).rejects.toMatchObject({
      code: 'REWARD_TARGET_NOT_FOUND',
    });
    const id = await seedTemplate(shop, 'AMOUNT', { validDays: 1 });
    const now = Date.now();
    const stored = { type: 'COUPON', id, unit: null, quantity: 1, value: '0', condition: null } as const;
    const handler = world.services.handlers.get('COUPON');
    expect(await handler?.forecast(shop.tenantId, shop.userId, [readRewardRule(stored)], now)).toEqual([
      { unit: null, expiresAt: new Date(now + DAY_MS), hasEffect: true },
    ]);
  });
});

describe('X.9 coupons that are taken back', () => {
  it('X.9 expire with nothing left, by a reversing entry', async () => {
    const shop = await openShop(world);
    const rules = [
      { type: 'COUPON', id: await seedTemplate(shop, 'AMOUNT'), quantity: 2 },
      { type: 'COUPON', id: await seedTemplate(shop, 'RATE') },
    ] as const;
    const redemptionId = await redeemRewards(shop, rules);
    expect(await takeBack(shop, redemptionId, rules, 'COUPON')).toEqual([{ debt: null }, { debt: null }]);
    const coupons = await couponsOf(shop, redemptionId);
    for (const { id } of coupons)
      expect(await couponState(shop, id)).toMatchObject({ status: 'EXPIRED', balance: '0' });
    expect(await ledgerOf(shop, coupons[0]?.id ?? '')).toEqual(['ISSUE 10', 'REVERSAL -10']);
    expect(await ledgerOf(shop, coupons[2]?.id ?? '')).toEqual(['ISSUE 0', 'REVERSAL 0']);
  });

  it('X.9 are refused where an order has some of them, and nothing is written', async () => {
    const shop = await openShop(world);
    const rules = [
      { type: 'COUPON', id: await seedTemplate(shop, 'AMOUNT'), quantity: 2 },
      { type: 'COUPON', id: await seedTemplate(shop, 'RATE') },
    ] as const;
    const redemptionId = await redeemRewards(shop, rules);
    const [first, second, rate] = await couponsOf(shop, redemptionId);
    const orderId = world.services.ids.next();
    await apply(shop, orderId, [first?.id ?? '', rate?.id ?? ''], { total: '12' });
    await expect(takeBack(shop, redemptionId, rules, 'COUPON')).rejects.toMatchObject({
      code: 'REWARD_SPENT',
      details: { rewardNo: 0 },
    });
    expect(await couponState(shop, first?.id ?? '')).toMatchObject({ status: 'AVAILABLE', balance: '4' });
    expect(await couponState(shop, second?.id ?? '')).toMatchObject({ status: 'AVAILABLE', balance: '10' });
  });

  it('X.9 leave a stated debt by the option, which an order that gives back has settled', async () => {
    const shop = await openShop(world);
    const rules = [
      { type: 'COUPON', id: await seedTemplate(shop, 'AMOUNT'), quantity: 2 },
      { type: 'COUPON', id: await seedTemplate(shop, 'RATE') },
    ] as const;
    const redemptionId = await redeemRewards(shop, rules);
    const [first, , rate] = await couponsOf(shop, redemptionId);
    const orderId = world.services.ids.next();
    await apply(shop, orderId, [first?.id ?? '', rate?.id ?? ''], { total: '12' });
    await consume(shop, orderId);
    expect(await takeBack(shop, redemptionId, rules, 'COUPON', 'DEBT')).toEqual([
      { debt: '6 USD' },
      // The share of the total was used up by the first one.
      { debt: null },
    ]);
    expect(await couponState(shop, first?.id ?? '')).toMatchObject({ status: 'EXPIRED', balance: '0' });
    await giveBack(shop, orderId, 'REFUNDED');
    expect(await couponState(shop, first?.id ?? '')).toMatchObject({ status: 'EXPIRED', balance: '6' });
    expect(await ledgerOf(shop, first?.id ?? '')).toEqual([
      'ISSUE 10',
      'USAGE -6',
      'REVERSAL -4',
      'REFUND 6',
    ]);
  });

  it('X.9 that an order holds can still be paid with, and are not usable after it gives them back', async () => {
    const shop = await openShop(world);
    const rules = [{ type: 'COUPON', id: await seedTemplate(shop, 'RATE') }] as const;
    const redemptionId = await redeemRewards(shop, rules);
    const [coupon] = await couponsOf(shop, redemptionId);
    const id = coupon?.id ?? '';
    const orderId = world.services.ids.next();
    await apply(shop, orderId, [id]);
    expect(await takeBack(shop, redemptionId, rules, 'COUPON', 'DEBT')).toEqual([{ debt: '10 USD' }]);
    expect(await couponState(shop, id)).toMatchObject({ status: 'RESERVED', reservedOrderId: orderId });
    await giveBack(shop, orderId);
    expect(await couponState(shop, id)).toMatchObject({ status: 'EXPIRED', balance: '0' });
  });

  it('X.9 race with orders that spend them: each coupon is taken back or stated as a debt', async () => {
    const shop = await openShop(world);
    const rules = [{ type: 'COUPON', id: await seedTemplate(shop, 'AMOUNT'), quantity: 10 }] as const;
    const redemptionId = await redeemRewards(shop, rules);
    const coupons = await couponsOf(shop, redemptionId);
    const [reversed, ...orders] = await Promise.allSettled([
      takeBack(shop, redemptionId, rules, 'COUPON', 'DEBT'),
      ...coupons.map(async ({ id }) => apply(shop, world.services.ids.next(), [id])),
    ]);
    const spent = orders.filter(({ status }) => status === 'fulfilled').length * 10;
    const [debt] = reversed?.status === 'fulfilled' ? reversed.value : [];
    expect(debt).toEqual({ debt: spent === 0 ? null : `${spent} USD` });
    const left = await couponsOf(shop, redemptionId);
    expect(left.every(({ balance }) => Number(balance) === 0)).toBe(true);
  });
});
