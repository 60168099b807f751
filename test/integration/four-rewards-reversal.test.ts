import { describe, expect, it } from 'vitest';
import { Account } from '../../src/money/account.entity.js';
import { UserCoupon } from '../../src/orders/coupons/user-coupon.entity.js';
import { DomainError } from '../../src/platform/errors.js';
import { ALL_FOUR, holdingsOf, openGifts, seedFour, type FourGifts } from '../support/four-rewards.js';
import { openBeforeAll } from '../support/open-before-all.js';
import {
  driftsAtRest,
  ageSubscription,
  redeemed,
  reversalOutcome,
  reverse,
  stateOf,
} from '../support/reversals.js';
import { emOf, openWorld, outcomeOf, redeem, seedUser, type World } from '../support/world.js';

let worlds: readonly [World, World];
openBeforeAll(async (closing) => {
  worlds = [await closing(openWorld()), await closing(openWorld())];
});

const DAY_MS = 86_400_000;
const TAKEN = {
  subscriptions: ['DEDUCTED'],
  coupons: ['EXPIRED 0', 'EXPIRED 0'],
  points: 0,
  balances: ['0 USD'],
};

interface Redeemed {
  readonly gifts: FourGifts;
  readonly userId: string;
  readonly id: string;
  readonly code: string;
}

async function redeemedOnce(): Promise<Redeemed> {
  const gifts = await openGifts(worlds[0]);
  const { codes } = await seedFour(gifts, 1);
  const [code = ''] = codes;
  const userId = await seedUser(worlds[0], gifts.tenantId);
  const { id } = await redeemed(worlds[0], gifts.tenantId, userId, code);
  return { gifts, userId, id, code };
}

/** DONE, or the code of the refusal. */
async function outcomeOfWork(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'DONE';
  } catch (error) {
    if (error instanceof DomainError) return String(error.code);
    throw error;
  }
}

type Spending = (at: Redeemed, world: World, part?: number) => Promise<unknown>;
/** Ways to spend a reward, each once for every `part`. */
const SPENDINGS: Readonly<Record<'COUPON' | 'POINTS' | 'BALANCE', Spending>> = {
  COUPON: async ({ gifts: { tenantId }, userId }, world) => {
    const { transactions, coupons, ids } = world.services;
    const [coupon] = await emOf(world, tenantId).find(
      UserCoupon,
      { userId },
      { orderBy: { id: 'asc' }, disableIdentityMap: true },
    );
    const order = { tenantId, orderId: ids.next(), userId, currency: 'USD', total: '10', scale: 2 };
    return transactions.run(tenantId, async (em) => coupons.apply(em, order, [coupon?.id ?? ''], new Date()));
  },
  POINTS: async ({ gifts: { tenantId }, userId }, world) => {
    const { transactions, points, ids } = world.services;
    return transactions.run(tenantId, async (em) =>
      points.spend(em, tenantId, userId, ids.next(), 40, new Date()),
    );
  },
  BALANCE: async ({ gifts: { tenantId, facilityId }, userId }, world) => {
    const { accounts, ids } = world.services;
    const remark = 'spent';
    const place = { userId, facilityId, currency: 'USD' };
    return accounts.adjust(tenantId, 'eve', { ...place, orderId: ids.next(), amount: '-1.5', remark });
  },
};
const KINDS = ['COUPON', 'POINTS', 'BALANCE'] as const;
const PLACES = { COUPON: 1, POINTS: 2, BALANCE: 3 } as const;

describe('a reversal of all four kinds', () => {
  it('X.9 takes back the time, the coupons, the points and the money', async () => {
    const { gifts, userId, id } = await redeemedOnce();
    const reversed = await reverse(worlds[0], gifts.tenantId, id);
    expect(reversed.rewards.map(({ status, debt }) => [status, debt])).toEqual(
      Array.from({ length: 4 }, () => ['REVERSED', null]),
    );
    expect(await holdingsOf(gifts, userId)).toEqual(TAKEN);
    const { events } = await stateOf(worlds[0], gifts.tenantId);
    expect(events.filter(({ type }) => type === 'redemption_reversed')).toHaveLength(1);
    expect(await driftsAtRest(worlds[0], gifts.tenantId)).toEqual({});
  });

  it('gives all four again to who redeems the returned code', async () => {
    const { gifts, userId, id, code } = await redeemedOnce();
    await reverse(worlds[0], gifts.tenantId, id, { returnUse: true });
    expect(outcomeOf(await redeem(worlds[1], gifts.tenantId, userId, code))).toBe('COMMITTED');
    expect(await holdingsOf(gifts, userId)).toMatchObject({ points: 100, balances: ['2.5 USD'] });
    expect(await driftsAtRest(worlds[0], gifts.tenantId)).toEqual({});
  });

  it.each(KINDS)(
    'is refused when some of the %s has been spent, by its place, and changes nothing',
    async (kind) => {
      const at = await redeemedOnce();
      const { gifts, userId, id } = at;
      await SPENDINGS[kind](at, worlds[0]);
      const before = await stateOf(worlds[0], gifts.tenantId);
      const held = await holdingsOf(gifts, userId);
      const refused = reverse(worlds[0], gifts.tenantId, id);
      await expect(refused).rejects.toMatchObject({
        code: 'REWARD_SPENT',
        details: { rewardNo: PLACES[kind] },
      });
      expect(await stateOf(worlds[0], gifts.tenantId)).toEqual(before);
      expect(await holdingsOf(gifts, userId)).toEqual(held);
    },
  );

  it('takes what is left of each and states the rest as debts', async () => {
    const at = await redeemedOnce();
    const { gifts, userId, id } = at;
    for (const kind of KINDS) await SPENDINGS[kind](at, worlds[0]);
    await ageSubscription(worlds[0], gifts.tenantId, id, 2 * DAY_MS);
    const { rewards } = await reverse(worlds[0], gifts.tenantId, id, { spent: 'DEBT' });
    expect(rewards.map(({ type, debt }) => [type, debt])).toEqual([
      ['SUBSCRIPTION', '2 DAY'],
      ['COUPON', '5 USD'],
      ['POINTS', '40 points'],
      ['BALANCE', '1.5 USD'],
    ]);
    expect(await holdingsOf(gifts, userId)).toEqual(TAKEN);
    expect(await driftsAtRest(worlds[0], gifts.tenantId)).toEqual({});
  });

  it('is refused while the account is halted', async () => {
    const { gifts, userId, id } = await redeemedOnce();
    await emOf(worlds[0], gifts.tenantId).nativeUpdate(Account, { userId }, { haltedAt: new Date() });
    expect(await reversalOutcome(reverse(worlds[0], gifts.tenantId, id, { spent: 'DEBT' }))).toBe(
      'ACCOUNT_HALTED',
    );
    expect(await holdingsOf(gifts, userId)).toEqual(ALL_FOUR);
  });

  it('from 20 sides takes each back once', async () => {
    const { gifts, userId, id } = await redeemedOnce();
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, async (_, at) =>
        reversalOutcome(reverse(at % 2 ? worlds[1] : worlds[0], gifts.tenantId, id)),
      ),
    );
    expect(outcomes.filter((outcome) => outcome === 'REVERSED')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'ALREADY_REVERSED')).toHaveLength(19);
    expect(await holdingsOf(gifts, userId)).toEqual(TAKEN);
    expect(await driftsAtRest(worlds[0], gifts.tenantId)).toEqual({});
  });
});

describe.each(KINDS)('a reversal races with spending the %s', (kind) => {
  it('and one of them is refused', async () => {
    for (let round = 0; round < 5; round += 1) {
      const at = await redeemedOnce();
      const { gifts, userId, id } = at;
      const [reversed, spent] = await Promise.all([
        reversalOutcome(reverse(worlds[0], gifts.tenantId, id)),
        outcomeOfWork(SPENDINGS[kind](at, worlds[1])),
      ]);
      expect([reversed === 'REVERSED', spent === 'DONE'].filter(Boolean)).toHaveLength(1);
      expect(['REVERSED', 'REWARD_SPENT']).toContain(reversed);
      const { points, balances } = await holdingsOf(gifts, userId);
      expect(points === 0 && balances[0] === '0 USD').toBe(reversed === 'REVERSED');
      expect(await driftsAtRest(worlds[0], gifts.tenantId)).toEqual({});
    }
  }, 60_000);

  it('and with debts both succeed or the spending comes too late: what was given is what was spent and taken', async () => {
    for (let round = 0; round < 5; round += 1) {
      const at = await redeemedOnce();
      const { gifts, userId, id } = at;
      const [reversed, spent] = await Promise.all([
        reverse(worlds[0], gifts.tenantId, id, { spent: 'DEBT' }),
        outcomeOfWork(SPENDINGS[kind](at, worlds[1])),
      ]);
      const debts = reversed.rewards.flatMap(({ debt }) => debt ?? []);
      expect(debts).toHaveLength(spent === 'DONE' ? 1 : 0);
      expect(await holdingsOf(gifts, userId)).toMatchObject({ points: 0, balances: ['0 USD'] });
      expect(await driftsAtRest(worlds[0], gifts.tenantId)).toEqual({});
    }
  }, 60_000);
});
