import type { Random } from '../faults/load/random.js';
import { seedCampaign, seedTenant, seedUsers, type World } from '../support/world.js';

/** Where balances are. */
export interface Place {
  readonly facilityId: string;
  readonly currency: string;
}

export interface ScenePlan {
  readonly id: string;
  /** Of its prices, and so of its orders. */
  readonly currency: string;
  /** When nothing was sold yet. */
  readonly inventory: number;
}

export interface SceneCampaign {
  readonly id: string;
  readonly codes: readonly string[];
  /** By the number of a reward: how much of points or of money it gives. */
  readonly amounts: readonly string[];
}

/** A shop with a little of everything. */
export interface Scene {
  readonly tenantId: string;
  /** In the first one most of it happens. */
  readonly places: readonly Place[];
  readonly plans: readonly ScenePlan[];
  readonly templateIds: readonly string[];
  readonly campaigns: readonly SceneCampaign[];
  /** Few, so that the lanes meet. */
  readonly users: readonly string[];
}

const USERS = 6;
/** Operations for each one of the scarce plan. */
const SCARCE_SHARE = 500;
/** More than are tried, even if luck prefers a campaign. */
const CODES_SHARE = 40;
export const TRANSFERS_A_DAY_MAX = 40;

const PLANS = [
  {
    name: 'Wide',
    unitPrice: '20',
    currency: 'USD',
    unitTime: 'MONTH',
    trafficBytes: 1_000_000,
    resetPrice: '3.50',
    inventory: 1_000_000,
  },
  // A hundred points pay all of it. The scene says how many there are, so that it is sold out midway.
  { name: 'Scarce', unitPrice: '10', currency: 'USD', unitTime: 'DAY', inventory: 0 },
  // A second one has no effect: what was ordered twice cannot be delivered twice.
  { name: 'For ever', unitPrice: '15.50', currency: 'GEM', unitTime: 'NO_LIMIT', inventory: 100_000 },
] as const;

const TEMPLATES = [
  { name: 'Fifteen', kind: 'AMOUNT', currency: 'USD', amount: '15' },
  { name: 'Five off thirty', kind: 'THRESHOLD', currency: 'USD', amount: '5', minimum: '30' },
  { name: 'Tenth', kind: 'RATE', currency: 'USD', rateMille: 100 },
  { name: 'Gems', kind: 'AMOUNT', currency: 'GEM', amount: '7', issueLimit: 60, validDays: 1 },
] as const;

/** @param operations how many are to be played with it */
export async function makeScene(world: World, operations: number): Promise<Scene> {
  const { services } = world;
  const { tenantId } = await seedTenant(world);
  await services.currencies.create(tenantId, { code: 'USD', name: 'Dollar', scale: 2, feeRate: '0.0125' });
  await services.currencies.create(tenantId, {
    code: 'GEM',
    name: 'Gem',
    scale: 0,
    dailyCountMax: TRANSFERS_A_DAY_MAX,
  });
  const shop = await services.facilities.create(tenantId, { name: 'Shop' });
  const branch = await services.facilities.create(tenantId, { name: 'Branch' });
  const places = [shop, branch].flatMap(({ id: facilityId }) =>
    ['USD', 'GEM'].map((currency) => ({ facilityId, currency })),
  );
  const plans: ScenePlan[] = [];
  for (const plan of PLANS) {
    const inventory = plan.inventory === 0 ? 4 + Math.ceil(operations / SCARCE_SHARE) : plan.inventory;
    const { id } = await services.plans.create(tenantId, { ...plan, inventory });
    plans.push({ id, currency: plan.currency, inventory });
  }
  const planIds = plans.map(({ id }) => id);
  const templateIds: string[] = [];
  for (const template of TEMPLATES)
    templateIds.push((await services.couponTemplates.create(tenantId, template)).id);
  const codesEach = Math.ceil(operations / CODES_SHARE) + 20;
  const campaigns = await makeCampaigns(
    world,
    { tenantId, planIds, templateIds, shopId: shop.id },
    codesEach,
  );
  const users = await seedUsers(world, tenantId, USERS);
  return { tenantId, places, plans, templateIds, campaigns, users };
}

interface Goods {
  readonly tenantId: string;
  readonly planIds: readonly string[];
  readonly templateIds: readonly string[];
  readonly shopId: string;
}

/** One for each kind of reward, and one that gives all four. */
async function makeCampaigns(world: World, goods: Goods, codesEach: number): Promise<SceneCampaign[]> {
  const [wide = '', scarce = ''] = goods.planIds;
  const [fifteen = '', , tenth = ''] = goods.templateIds;
  const plan = (id: string) => ({ type: 'SUBSCRIPTION', id });
  const coupon = (id: string, quantity: number) => ({ type: 'COUPON', id, quantity });
  const points = (amount: string) => ({ type: 'POINTS', amount, validDays: 1 });
  const money = (amount: string) => ({ type: 'BALANCE', id: goods.shopId, currency: 'USD', amount });
  const rules: { useLimit: number; rewardRules: { type: string; amount?: string }[] }[] = [
    { useLimit: 1, rewardRules: [plan(scarce)] },
    { useLimit: 2, rewardRules: [coupon(fifteen, 2)] },
    { useLimit: 3, rewardRules: [points('50')] },
    { useLimit: 2, rewardRules: [money('25.25')] },
    // Ids of what is made in one millisecond are neighbours.
    { useLimit: 3, rewardRules: [plan(wide), coupon(tenth, 1), points('20'), points('15'), money('5')] },
  ];
  const campaigns: SceneCampaign[] = [];
  for (const rule of rules) {
    const tenant = { tenantId: goods.tenantId, planId: wide };
    const { campaignId: id, codes } = await seedCampaign(world, tenant, codesEach, { rule });
    campaigns.push({ id, codes, amounts: rule.rewardRules.map(({ amount }) => amount ?? '0') });
  }
  return campaigns;
}

export function placeOf({ places }: Scene, draw: Random): Place {
  const [first] = places;
  return first !== undefined && draw.chance(0.7) ? first : draw.pick(places);
}
