import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Account } from '../../src/money/account.entity.js';
import { CouponTemplate } from '../../src/orders/coupons/coupon-template.entity.js';
import { present } from '../../src/platform/assert.js';
import { REWARD_TYPES, type RewardType } from '../../src/rewards/reward-rule.js';
import { openClaim } from '../support/open-claim.js';
import {
  ALL_FOUR,
  fourRules,
  holdingsOf,
  NOTHING,
  openGifts,
  seedFour,
  type FourGifts,
} from '../support/four-rewards.js';
import { driftsAtRest, redeemed, stateOf } from '../support/reversals.js';
import {
  emOf,
  openWorld,
  outcomeOf,
  redeem,
  seedCampaign,
  seedUser,
  seedUsers,
  tally,
  type World,
} from '../support/world.js';

let world: World;
let other: World;
beforeAll(async () => {
  [world, other] = [await openWorld(), await openWorld()];
});
afterAll(async () => Promise.all([world?.close(), other?.close()]));
afterEach(() => vi.restoreAllMocks());

async function seeded(count = 1) {
  const gifts = await openGifts(world);
  const { codes } = await seedFour(gifts, count);
  return { gifts, codes, userId: await seedUser(world, gifts.tenantId) };
}

const refusalAt = async ({ tenantId }: FourGifts, userId: string, code: string) => {
  const asked = { tenantId, userId, code, productCode: 'DEMO', deviceId: null, idempotencyKey: null };
  return (
    (await world.services.previews.preview({ ...asked, headerKey: null, ip: null })).refusal?.code ?? null
  );
};

describe('a campaign of all four kinds', () => {
  it('gives each of them once, with one grant each and one event', async () => {
    const { gifts, codes, userId } = await seeded();
    const { tenantId } = gifts;
    const { id, rewards } = await redeemed(world, tenantId, userId, codes[0] ?? '');
    expect(rewards.map(({ type }) => type)).toEqual(REWARD_TYPES);
    expect(await holdingsOf(gifts, userId)).toEqual(ALL_FOUR);
    const { grants, events } = await stateOf(world, tenantId);
    expect(grants.map(({ rewardNo, type, status }) => [rewardNo, type, status])).toEqual(
      REWARD_TYPES.map((type, rewardNo) => [rewardNo, type, 'GRANTED']),
    );
    expect(grants.map(({ sourceId }) => sourceId)).toEqual([
      gifts.planId,
      gifts.templateId,
      '0',
      gifts.facilityId,
    ]);
    const [told, ...more] = events.filter(({ type }) => type === 'redemption_settled');
    expect(more).toEqual([]);
    expect(told?.payload).toMatchObject({
      redemptionId: id,
      rewards: REWARD_TYPES.map((type) => ({ type })),
    });
    expect(await driftsAtRest(world, tenantId)).toEqual({});
  });

  it('is previewed with all four, and nothing is given by that', async () => {
    const { gifts, codes, userId } = await seeded();
    const { tenantId } = gifts;
    const preview = await world.services.previews.preview({
      tenantId,
      userId,
      code: codes[0] ?? '',
      productCode: 'DEMO',
      deviceId: null,
      idempotencyKey: null,
      headerKey: null,
      ip: null,
    });
    expect(preview.rewards.map(({ type, quantity }) => [type, quantity])).toEqual([
      ['SUBSCRIPTION', 1],
      ['COUPON', 2],
      ['POINTS', 1],
      ['BALANCE', 1],
    ]);
    expect(await holdingsOf(gifts, userId)).toEqual(NOTHING);
  });

  it('gives a second time what a second code gives', async () => {
    const { gifts, codes, userId } = await seeded(2);
    for (const code of codes) await redeemed(world, gifts.tenantId, userId, code);
    expect(await holdingsOf(gifts, userId)).toMatchObject({
      subscriptions: ['ACTIVE'],
      coupons: Array.from({ length: 4 }, () => 'AVAILABLE 10'),
      points: 200,
      balances: ['5 USD'],
    });
    expect(await driftsAtRest(world, gifts.tenantId)).toEqual({});
  });

  it('S0.8 gives each once when the same claim is delivered five times, by two processes', async () => {
    const { gifts, codes, userId } = await seeded();
    const claim = await openClaim(world, gifts, codes[0] ?? '', userId);
    const deliveries = [world, other, world, other, world];
    await Promise.all(deliveries.map(async ({ services }) => services.groupCommit.settle(claim)));
    expect(await holdingsOf(gifts, userId)).toEqual(ALL_FOUR);
    expect(await driftsAtRest(world, gifts.tenantId)).toEqual({});
  });

  it('gives 150 users theirs at once, over two processes', async () => {
    const { gifts, codes } = await seeded(150);
    const users = await seedUsers(world, gifts.tenantId, 150);
    const answers = await Promise.all(
      users.map(async (userId, at) =>
        redeem(at % 2 ? other : world, gifts.tenantId, userId, codes[at] ?? ''),
      ),
    );
    expect(tally(answers)).toEqual({ COMMITTED: 150 });
    const held = await Promise.all([0, 74, 149].map(async (at) => holdingsOf(gifts, users[at] ?? '')));
    expect(held).toEqual([ALL_FOUR, ALL_FOUR, ALL_FOUR]);
    const em = emOf(world, gifts.tenantId);
    const template = await em.findOneOrFail(
      CouponTemplate,
      { id: gifts.templateId },
      { disableIdentityMap: true },
    );
    expect(template.issued).toBe(300);
    expect(await driftsAtRest(world, gifts.tenantId)).toEqual({});
  }, 60_000);

  it('is redeemed by the same users in any order of its rules, at once: no transaction gets into the way of another', async () => {
    const gifts = await openGifts(world);
    const { tenantId } = gifts;
    const rules = fourRules(gifts);
    const forwards = await seedFour(gifts, 60, rules);
    const backwards = await seedFour(gifts, 60, rules.toReversed());
    const users = await seedUsers(world, tenantId, 6);
    const wishes = [...forwards.codes, ...backwards.codes].map((code, at) => ({
      code,
      userId: users[at % 6] ?? '',
    }));
    const answers = await Promise.all(
      wishes.map(async ({ userId, code }, at) => redeem(at % 2 ? other : world, tenantId, userId, code)),
    );
    expect(tally(answers)).toEqual({ COMMITTED: 120 });
    for (const userId of users)
      expect(await holdingsOf(gifts, userId)).toMatchObject({ points: 2000, balances: ['50 USD'] });
    expect(await driftsAtRest(world, tenantId)).toEqual({});
  }, 60_000);

  it('gives by conditions only what the user is entitled to', async () => {
    const gifts = await openGifts(world);
    const [subscription, coupon, points, balance] = fourRules(gifts);
    const vip = { condition: { userTag: 'vip' } };
    const { codes } = await seedFour(gifts, 2, [
      { ...subscription, ...vip },
      coupon,
      { ...points, ...vip },
      balance,
    ]);
    const [plain, entitled] = [
      await seedUser(world, gifts.tenantId),
      await seedUser(world, gifts.tenantId, ['vip']),
    ];
    await redeemed(world, gifts.tenantId, plain, codes[0] ?? '');
    await redeemed(world, gifts.tenantId, entitled, codes[1] ?? '');
    expect(await holdingsOf(gifts, plain)).toEqual({ ...ALL_FOUR, subscriptions: [], points: 0 });
    expect(await holdingsOf(gifts, entitled)).toEqual(ALL_FOUR);
    expect(await driftsAtRest(world, gifts.tenantId)).toEqual({});
  });

  it('is redeemed though its subscription changes nothing, for the sake of the others', async () => {
    const gifts = await openGifts(world, { unitTime: 'NO_LIMIT' });
    const { codes } = await seedFour(gifts, 2);
    const userId = await seedUser(world, gifts.tenantId);
    for (const code of codes) await redeemed(world, gifts.tenantId, userId, code);
    expect(await holdingsOf(gifts, userId)).toMatchObject({ subscriptions: ['ACTIVE'], points: 200 });
  });
});

describe('a campaign of all four kinds is refused, and nothing of it is given,', () => {
  const faults: [string, (gifts: FourGifts) => Promise<unknown>, string][] = [
    [
      'while its coupons are not issued',
      async ({ tenantId, templateId }) =>
        world.services.couponTemplates.update(tenantId, templateId, { enabled: false }),
      'COUPON_NOT_ISSUABLE',
    ],
    [
      'while its currency is disabled',
      async ({ tenantId }) => world.services.currencies.update(tenantId, 'USD', { enabled: false }),
      'CURRENCY_NOT_AVAILABLE',
    ],
    [
      'while its facility is disabled',
      async ({ tenantId, facilityId }) =>
        world.services.facilities.update(tenantId, facilityId, { enabled: false }),
      'CURRENCY_NOT_AVAILABLE',
    ],
    [
      'while its plan is sold out',
      async ({ tenantId, planId }) => world.services.plans.update(tenantId, planId, { inventory: 0 }),
      'PLAN_SOLD_OUT',
    ],
  ];
  it.each(faults)('%s', async (_when, spoil, refusal) => {
    const { gifts, codes, userId } = await seeded();
    const [code = ''] = codes;
    await spoil(gifts);
    await vi.waitFor(async () => expect(await refusalAt(gifts, userId, code)).toBe(refusal), {
      timeout: 30_000,
    });
    expect(outcomeOf(await redeem(world, gifts.tenantId, userId, code))).toBe(refusal);
    expect(await holdingsOf(gifts, userId)).toEqual(NOTHING);
    expect(await driftsAtRest(world, gifts.tenantId)).toEqual({});
  });

  it('while the account that it would credit is halted; only the commit can tell', async () => {
    const { gifts, codes, userId } = await seeded(2);
    const { tenantId } = gifts;
    await redeemed(world, tenantId, userId, codes[0] ?? '');
    await emOf(world, tenantId).nativeUpdate(Account, { userId }, { haltedAt: new Date() });
    expect(outcomeOf(await redeem(world, tenantId, userId, codes[1] ?? ''))).toBe('ACCOUNT_HALTED');
    expect(await holdingsOf(gifts, userId)).toEqual(ALL_FOUR);
  });

  it('when the last coupons go to one of two users', async () => {
    const { gifts, codes } = await seeded(6);
    const { tenantId, templateId } = gifts;
    await world.services.couponTemplates.update(tenantId, templateId, { issueLimit: 4 });
    const users = await seedUsers(world, tenantId, 6);
    const answers = await Promise.all(
      users.map(async (userId, at) => redeem(at % 2 ? other : world, tenantId, userId, codes[at] ?? '')),
    );
    expect(tally(answers)).toEqual({ COMMITTED: 2, COUPON_NOT_ISSUABLE: 4 });
    expect(await driftsAtRest(world, tenantId)).toEqual({});
  });

  const broken = (type: RewardType, step: 'begin' | 'flush'): void => {
    const handler = present(world.services.handlers.get(type), 'A handler');
    const begin = handler.begin.bind(handler);
    vi.spyOn(handler, 'begin').mockImplementation(async (...args) => {
      const session = await begin(...args);
      const failing = async (): Promise<never> => Promise.reject(new Error('planted'));
      if (step === 'begin') return failing();
      // What it writes is written, and then it fails.
      const flush = session.flush.bind(session);
      session.flush = async () => flush().then(failing);
      return session;
    });
  };
  it.each(REWARD_TYPES.flatMap((type) => [[type, 'begin'] as const, [type, 'flush'] as const]))(
    'S0.7 when the %s of its rewards fails at %s: subscription, coupons, points, money, count and record',
    async (type, step) => {
      const { gifts, codes, userId } = await seeded();
      const [code = ''] = codes;
      const before = await stateOf(world, gifts.tenantId);
      broken(type, step);
      await expect(redeem(world, gifts.tenantId, userId, code)).rejects.toThrow('planted');
      vi.restoreAllMocks();
      expect(await holdingsOf(gifts, userId)).toEqual(NOTHING);
      const after = await stateOf(world, gifts.tenantId);
      expect(after).toEqual({ ...before, redemptions: after.redemptions });
      expect(after.redemptions.map(({ status }) => status)).toEqual(['ABORTED']);
      expect(outcomeOf(await redeem(world, gifts.tenantId, userId, code))).toBe('COMMITTED');
      expect(await holdingsOf(gifts, userId)).toEqual(ALL_FOUR);
      expect(await driftsAtRest(world, gifts.tenantId)).toEqual({});
    },
  );
});

describe('a rule that cannot be given is refused when the campaign is saved:', () => {
  const faults: [string, object, string][] = [
    ['a template that is not there', { type: 'COUPON', id: '4711' }, 'REWARD_TARGET_NOT_FOUND'],
    [
      'a facility that is not there',
      { type: 'BALANCE', id: '4711', amount: '1', currency: 'USD' },
      'REWARD_TARGET_NOT_FOUND',
    ],
    [
      'a currency that is not there',
      { type: 'BALANCE', amount: '1', currency: 'EUR' },
      'REWARD_CURRENCY_NOT_FOUND',
    ],
    [
      'more digits than the currency has',
      { type: 'BALANCE', amount: '1.005', currency: 'USD' },
      'REWARD_AMOUNT_TOO_PRECISE',
    ],
  ];
  it.each(faults)('%s', async (_what, rule, code) => {
    const gifts = await openGifts(world);
    const named = { ...('id' in rule ? {} : { id: gifts.facilityId }), ...rule };
    const before = await stateOf(world, gifts.tenantId);
    const made = seedCampaign(world, gifts, 1, { rule: { rewardRules: [named] } });
    await expect(made).rejects.toMatchObject({ code });
    expect(await stateOf(world, gifts.tenantId)).toEqual(before);
  });
});
