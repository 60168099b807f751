import { Account } from '../../src/money/account.entity.js';
import { UserCoupon } from '../../src/orders/coupons/user-coupon.entity.js';
import { PointsAccount } from '../../src/orders/points/points.entity.js';
import { stateOf } from './reversals.js';
import { emOf, seedCampaign, seedTenant, type SeededCampaign, type World } from './world.js';

/** A tenant whose campaigns can give all four kinds of rewards. */
export interface FourGifts {
  readonly world: World;
  readonly tenantId: string;
  readonly planId: string;
  readonly templateId: string;
  readonly facilityId: string;
}

export async function openGifts(world: World, plan: Record<string, unknown> = {}): Promise<FourGifts> {
  const tenant = await seedTenant(world, plan);
  const { tenantId } = tenant;
  const { currencies, facilities, couponTemplates } = world.services;
  await currencies.create(tenantId, { code: 'USD', name: 'Dollar', scale: 2 });
  const facility = await facilities.create(tenantId, { name: 'Wallet' });
  const terms = { name: 'Ten off', kind: 'AMOUNT', currency: 'USD', amount: '10' };
  const template = await couponTemplates.create(tenantId, terms);
  return { world, ...tenant, templateId: template.id, facilityId: facility.id };
}

/** One rule of each kind: a month, two coupons of 10 USD, 100 points, 2.50 USD. */
export function fourRules({ planId, templateId, facilityId }: FourGifts) {
  return [
    { type: 'SUBSCRIPTION', id: planId },
    { type: 'COUPON', id: templateId, quantity: 2 },
    { type: 'POINTS', amount: '100', validDays: 30 },
    { type: 'BALANCE', id: facilityId, amount: '2.50', currency: 'USD' },
  ] as const;
}

export async function seedFour(
  gifts: FourGifts,
  count: number,
  rewardRules: readonly object[] = fourRules(gifts),
  rule: Record<string, unknown> = {},
): Promise<SeededCampaign> {
  return seedCampaign(gifts.world, gifts, count, { rule: { ...rule, rewardRules } });
}

const PLAIN = { disableIdentityMap: true } as const;

/** What a user has, in one line each. */
export async function holdingsOf({ world, tenantId }: FourGifts, userId: string) {
  const em = emOf(world, tenantId);
  const coupons = await em.find(UserCoupon, { userId }, { ...PLAIN, orderBy: { id: 'asc' } });
  const points = await em.findOne(PointsAccount, { userId }, PLAIN);
  const accounts = await em.find(Account, { userId }, PLAIN);
  const { subscriptions } = await stateOf(world, tenantId);
  return {
    subscriptions: subscriptions.filter((row) => row.userId === userId).map(({ status }) => status),
    coupons: coupons.map(({ status, balance }) => `${status} ${Number(balance)}`),
    points: points?.balance ?? 0,
    balances: accounts.map(({ currency, balance }) => `${Number(balance)} ${currency}`),
  };
}

export const ALL_FOUR = {
  subscriptions: ['ACTIVE'],
  coupons: ['AVAILABLE 10', 'AVAILABLE 10'],
  points: 100,
  balances: ['2.5 USD'],
};
export const NOTHING = { subscriptions: [], coupons: [], points: 0, balances: [] };
