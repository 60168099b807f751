import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PointsAccount, PointsLot } from '../../src/orders/points/points.entity.js';
import { isDuplicateKey } from '../../src/platform/database/sql-errors.js';
import { RewardGrant } from '../../src/redemption/history/reward-grant.entity.js';
import { NOTHING_NAMED, readRewardRule } from '../../src/rewards/reward-rule.js';
import { DAY_MS, later, openShop, seedTemplate, within, type Shop } from '../support/coupon-world.js';
import {
  balanced,
  balanceOf,
  grant,
  lotState,
  pointsLedgerOf,
  returnPoints,
  spend,
} from '../support/points-world.js';
import { redeemRewards, takeBack } from '../support/reward-reversals.js';
import { emOf, openWorld, redeem, seedCampaign, seedUsers, tally, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => world?.close());

const lotOf = async ({ tenantId }: Shop, redemptionId: string, rewardNo = 0): Promise<PointsLot> =>
  emOf(world, tenantId).findOneOrFail(PointsLot, { redemptionId, rewardNo });
const rules = [{ type: 'POINTS', id: NOTHING_NAMED, amount: '100', validDays: 30 }] as const;

describe('a code that gives points', () => {
  it('grants them with their expiry, beside all that it gives else', async () => {
    const shop = await openShop(world);
    const mixed = [
      { type: 'POINTS', amount: '100', validDays: 30 },
      { type: 'SUBSCRIPTION', id: shop.planId },
      { type: 'COUPON', id: await seedTemplate(shop, 'AMOUNT') },
      { type: 'POINTS', amount: '7' },
    ];
    const redemptionId = await redeemRewards(shop, mixed);
    const [first, second] = [await lotOf(shop, redemptionId), await lotOf(shop, redemptionId, 3)];
    expect((first.expiresAt?.getTime() ?? 0) - first.createdAt.getTime()).toBe(30 * DAY_MS);
    expect(second).toMatchObject({ granted: 7, remaining: 7, expiresAt: null });
    expect(await balanceOf(shop)).toEqual(balanced(107));
    expect(await emOf(world, shop.tenantId).count(RewardGrant, { redemptionId })).toBe(4);
    expect(await pointsLedgerOf(shop)).toEqual(['GRANT 100', 'GRANT 7']);
  });

  it('is redeemed by one user 40 times at once: all points are there, in one account', async () => {
    const shop = await openShop(world);
    const { tenantId, userId } = shop;
    const { codes } = await seedCampaign(world, shop, 40, { rule: { rewardRules: rules } });
    const answers = await Promise.all(codes.map(async (code) => redeem(world, tenantId, userId, code)));
    expect(tally(answers)).toEqual({ COMMITTED: 40 });
    expect(await balanceOf(shop)).toEqual(balanced(4000));
    expect(await emOf(world, tenantId).count(PointsAccount)).toBe(1);
  });

  it('is redeemed while the same users spend and staff grant: every account balances', async () => {
    const shop = await openShop(world);
    const { tenantId } = shop;
    const users = await seedUsers(world, tenantId, 5);
    const { codes } = await seedCampaign(world, shop, 25, { rule: { rewardRules: rules } });
    const ofUser = (at: number): Shop => ({ ...shop, userId: users[at % users.length] ?? '' });
    await Promise.all(users.map(async (_user, at) => grant(ofUser(at), 50)));
    await Promise.all([
      ...codes.map(async (code, at) => redeem(world, tenantId, ofUser(at).userId, code)),
      ...users.map(async (_user, at) => spend(ofUser(at), world.services.ids.next(), 30)),
      ...users.map(async (_user, at) => grant(ofUser(at), 5)),
    ]);
    for (const at of users.keys()) expect(await balanceOf(ofUser(at))).toEqual(balanced(525));
  });

  it('grants once for a redemption and a reward, also where it is committed again', async () => {
    const shop = await openShop(world);
    const { tenantId, userId } = shop;
    const redemptionId = await redeemRewards(shop, rules);
    const again = within(shop, async (em) => {
      const rule = readRewardRule({ ...rules[0], unit: null, quantity: 1, value: '0', condition: null });
      const of = { redemptionId, orderId: redemptionId, rewardNo: 0, userId, rule, claimedAtMs: Date.now() };
      const session = await world.services.handlers.get('POINTS')?.begin(em, tenantId, [of]);
      session?.apply(of);
      await session?.flush();
    });
    await expect(again).rejects.toSatisfy(isDuplicateKey);
    expect(await balanceOf(shop)).toEqual(balanced(100));
  });
});

describe('X.9 points that are taken back', () => {
  it('X.9 go by a reversing entry', async () => {
    const shop = await openShop(world);
    await grant(shop, 5);
    const redemptionId = await redeemRewards(shop, rules);
    expect(await takeBack(shop, redemptionId, rules, 'POINTS')).toEqual([{ debt: null }]);
    expect(await balanceOf(shop)).toEqual(balanced(5));
    expect(await pointsLedgerOf(shop)).toEqual(['GRANT 5', 'GRANT 100', 'REWARD_REVERSAL -100']);
  });

  it('X.9 are refused where an order has spent of them, and nothing is written', async () => {
    const shop = await openShop(world);
    const redemptionId = await redeemRewards(shop, rules);
    await spend(shop, world.services.ids.next(), 30);
    await expect(takeBack(shop, redemptionId, rules, 'POINTS')).rejects.toMatchObject({
      code: 'REWARD_SPENT',
      details: { rewardNo: 0 },
    });
    expect(await balanceOf(shop)).toEqual(balanced(70));
  });

  it('X.9 leave a stated debt by the option, which an order that gives back has settled', async () => {
    const shop = await openShop(world);
    const redemptionId = await redeemRewards(shop, rules);
    const orderId = world.services.ids.next();
    await spend(shop, orderId, 30);
    expect(await takeBack(shop, redemptionId, rules, 'POINTS', 'DEBT')).toEqual([{ debt: '30 points' }]);
    expect(await balanceOf(shop)).toEqual(balanced(0));
    expect(await returnPoints(shop, orderId, 'REFUNDED')).toBe(30);
    expect(await balanceOf(shop)).toEqual(balanced(0));
    const { id } = await lotOf(shop, redemptionId);
    expect(await lotState(shop, id)).toEqual({ remaining: 0, spent: 0 });
  });

  it('X.9 that have expired are no debt', async () => {
    const shop = await openShop(world);
    const redemptionId = await redeemRewards(shop, rules);
    expect(await takeBack(shop, redemptionId, rules, 'POINTS', 'REFUSE', later(40))).toEqual([
      { debt: null },
    ]);
    expect(await balanceOf(shop)).toEqual(balanced(0));
  });
});
