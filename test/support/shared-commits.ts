import type { CreateCampaign } from '../../src/campaigns/campaign-input.js';
import { present } from '../../src/platform/assert.js';
import { systemEm } from '../../src/platform/database/orm.js';
import type { Claim } from '../../src/redemption/claim/claim.js';
import { fourRules, openGifts, type FourGifts } from './four-rewards.js';
import { openClaim } from './open-claim.js';
import { seedCampaign, seedUsers, type World } from './world.js';

/** A tenant with claims that wait for their commit; each is of another user and code, and gives all four rewards. */
export interface Shop extends FourGifts {
  readonly campaignId: string;
  readonly users: readonly string[];
  readonly claims: readonly Claim[];
}

export interface ShopOptions {
  readonly claims?: number;
  readonly campaign?: Partial<CreateCampaign>;
}

async function openShop(world: World, { claims = 2, campaign = {} }: ShopOptions = {}): Promise<Shop> {
  const gifts = await openGifts(world);
  const rule = { rewardRules: fourRules(gifts) };
  const { codes, campaignId } = await seedCampaign(world, gifts, claims, { rule, campaign });
  const users = await seedUsers(world, gifts.tenantId, claims);
  const open: Claim[] = [];
  for (const [at, code] of codes.entries()) open.push(await openClaim(world, gifts, code, users[at] ?? ''));
  return { ...gifts, campaignId, users, claims: open };
}

/** In the order of their tenants, which is that of their locks. */
export async function openShops(world: World, count: number, options: ShopOptions = {}): Promise<Shop[]> {
  const shops = await Promise.all(Array.from({ length: count }, async () => openShop(world, options)));
  return shops.toSorted((a, b) => (a.tenantId < b.tenantId ? -1 : 1));
}

/** All claims of these tenants in one turn of the event loop, so that they go together. @returns an outcome or an error each */
export async function settle(
  world: World,
  shops: readonly { readonly claims: readonly Claim[] }[],
): Promise<string[]> {
  const claims = shops.flatMap((shop) => shop.claims);
  return Promise.all(
    claims.map(async (claim) =>
      world.services.groupCommit.settle(claim).then(
        (outcome) => (outcome.kind === 'REFUSED' ? outcome.refusal : outcome.kind),
        (error: unknown) => String(error),
      ),
    ),
  );
}

/** How many transactions redemptions begin while this runs. */
export async function transactionsOf({ services }: World, work: () => Promise<unknown>): Promise<number> {
  const count = async (): Promise<number> => {
    const metric = services.metrics.registry.getSingleMetric('redemption_transactions_total');
    const { values = [] } = (await metric?.get()) ?? {};
    return values.reduce((sum, { value }) => sum + value, 0);
  };
  const before = await count();
  await work();
  return (await count()) - before;
}

/** The first of these tenants, for what is to happen to one of them, and the others. */
export function oddOf(shops: readonly Shop[]): readonly [odd: Shop, others: readonly Shop[], first: Claim] {
  const [odd, ...others] = shops;
  const shop = present(odd, 'A tenant');
  return [shop, others, present(shop.claims[0], 'A claim')];
}

export async function execute(world: World, sql: string, params: readonly unknown[] = []): Promise<unknown> {
  return systemEm(world.stores.orm).execute(sql, [...params]);
}
