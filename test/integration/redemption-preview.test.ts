import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Subscription } from '../../src/subscriptions/subscription.entity.js';
import { emOf, openWorld, redeem, seedCampaign, seedTenant, seedUser, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => world.close());

async function preview(tenantId: string, userId: string, code: string) {
  const asked = { productCode: 'DEMO', deviceId: null, idempotencyKey: null };
  return world.services.previews.preview({ tenantId, userId, code, ...asked });
}

/** The ends of the user's subscriptions by plan. */
async function endsOf(tenantId: string, userId: string): Promise<Map<string, Date | null | undefined>> {
  const held = await emOf(world, tenantId).find(Subscription, { userId }, { disableIdentityMap: true });
  return new Map(held.map(({ planId, expiresAt }) => [planId, expiresAt]));
}

describe('the rewards of a preview', () => {
  it('end where the subscriptions end once the code is redeemed, one reward after another', async () => {
    const tenant = await seedTenant(world);
    const { tenantId, planId } = tenant;
    const other = await world.services.plans.create(tenantId, {
      name: 'For life',
      unitPrice: '1',
      unitTime: 'NO_LIMIT',
    });
    const userId = await seedUser(world, tenantId);
    const start = await seedCampaign(world, tenant, 1);
    await redeem(world, tenantId, userId, start.codes[0] ?? '');
    const rewardRules = [
      { type: 'SUBSCRIPTION', id: planId, quantity: 3 },
      { type: 'SUBSCRIPTION', id: other.id },
      { type: 'SUBSCRIPTION', id: planId, unit: 'DAY', quantity: 2 },
    ];
    const { codes } = await seedCampaign(world, tenant, 1, { rule: { rewardRules } });
    const before = await endsOf(tenantId, userId);

    const { rewards } = await preview(tenantId, userId, codes[0] ?? '');
    expect(await endsOf(tenantId, userId)).toEqual(before);
    expect(rewards.map(({ targetId, unit, quantity }) => [targetId, unit, quantity])).toEqual([
      [planId, 'MONTH', 3],
      [other.id, 'NO_LIMIT', 1],
      [planId, 'DAY', 2],
    ]);
    const [first, second, third] = rewards.map(({ expiresAt }) => expiresAt);
    expect(second).toBeNull();
    expect(Number(third) - Number(first)).toBe(2 * 86_400_000);

    await redeem(world, tenantId, userId, codes[0] ?? '');
    const after = await endsOf(tenantId, userId);
    expect([after.get(planId), after.get(other.id)]).toEqual([third, null]);
  });

  it('begin now where the user holds nothing of the plan, and only once', async () => {
    const tenant = await seedTenant(world);
    const { tenantId, planId } = tenant;
    const rewardRules = [1, 2].map((quantity) => ({
      type: 'SUBSCRIPTION',
      id: planId,
      unit: 'HOUR',
      quantity,
    }));
    const { codes } = await seedCampaign(world, tenant, 1, { rule: { rewardRules } });
    const fromMs = Date.now();
    const { rewards } = await preview(tenantId, await seedUser(world, tenantId), codes[0] ?? '');
    const [first = 0, second = 0] = rewards.map(({ expiresAt }) => Number(expiresAt));
    expect(first).toBeGreaterThanOrEqual(fromMs + 3_600_000);
    expect(first).toBeLessThan(fromMs + 3_660_000);
    expect(second - first).toBe(2 * 3_600_000);
  });
});
