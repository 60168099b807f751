import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LAST_INSTANT_MS } from '../../src/rewards/calendar.js';
import { factsAfter, factsOf, openClaims } from '../support/facts.js';
import { openClaim } from '../support/open-claim.js';
import {
  emOf,
  openWorld,
  outcomeOf,
  redeem,
  seedCampaign,
  seedTenant,
  seedUser,
  tally,
  type World,
} from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => world?.close());

async function preview(tenantId: string, userId: string, code: string): Promise<string | null> {
  const { refusal } = await world.services.previews.preview({
    tenantId,
    userId,
    code,
    productCode: 'DEMO',
    deviceId: null,
    idempotencyKey: null,
  });
  return refusal?.code ?? null;
}

/** A tenant whose plan never ends, and a user who holds it. */
async function lifetimeHolder() {
  const tenant = await seedTenant(world, { unitTime: 'NO_LIMIT' });
  const userId = await seedUser(world, tenant.tenantId);
  const { codes } = await seedCampaign(world, tenant, 3);
  expect(outcomeOf(await redeem(world, tenant.tenantId, userId, codes[0] ?? ''))).toBe('COMMITTED');
  return { ...tenant, tenant, userId, codes };
}

describe('a code whose reward would change nothing', () => {
  it('is refused to a lifetime holder before the claim, writes nothing, and works for another user', async () => {
    const { tenantId, userId, codes } = await lifetimeHolder();
    const code = codes[1] ?? '';
    expect(await preview(tenantId, userId, code)).toBe('REWARD_HAS_NO_EFFECT');
    expect(outcomeOf(await redeem(world, tenantId, userId, code))).toBe('REWARD_HAS_NO_EFFECT');
    expect(await factsOf(world, tenantId)).toEqual(factsAfter(1));
    const other = await seedUser(world, tenantId);
    expect(await preview(tenantId, other, code)).toBeNull();
    expect(outcomeOf(await redeem(world, tenantId, other, code))).toBe('COMMITTED');
  });

  it('is refused by the commit, which gives the use back, when the claim came first', async () => {
    const { tenantId, tenant, userId, codes } = await lifetimeHolder();
    const claim = await openClaim(world, tenant, codes[1] ?? '', userId);
    expect(await world.services.groupCommit.settle(claim)).toMatchObject({
      kind: 'REFUSED',
      refusal: 'REWARD_HAS_NO_EFFECT',
    });
    expect(await factsOf(world, tenantId)).toEqual({ ...factsAfter(1), tombstones: 1 });
    expect(await openClaims(world, tenantId)).toBe(0);
  });

  it('is refused before the claim when a subscription without an end would be extended by a month', async () => {
    const { tenantId, tenant, userId, planId } = await lifetimeHolder();
    const rule = { rewardRules: [{ type: 'SUBSCRIPTION', id: planId, unit: 'MONTH' }] };
    const { codes } = await seedCampaign(world, tenant, 1, { rule });
    // Every process knows within a second that the plan is held for ever.
    world.services.plans.invalidate(tenantId, planId);
    expect(await preview(tenantId, userId, codes[0] ?? '')).toBe('REWARD_HAS_NO_EFFECT');
    expect(outcomeOf(await redeem(world, tenantId, userId, codes[0] ?? ''))).toBe('REWARD_HAS_NO_EFFECT');
    expect(await factsOf(world, tenantId)).toEqual(factsAfter(1));
    const other = await seedUser(world, tenantId);
    expect(outcomeOf(await redeem(world, tenantId, other, codes[0] ?? ''))).toBe('COMMITTED');
  });

  it("is refused at the calendar's end, and not a moment before", async () => {
    const tenant = await seedTenant(world);
    const { tenantId } = tenant;
    const userId = await seedUser(world, tenantId);
    const { codes } = await seedCampaign(world, tenant, 3);
    await redeem(world, tenantId, userId, codes[0] ?? '');
    const endAt = async (ms: number): Promise<unknown> =>
      emOf(world, tenantId).execute('update subscription set expires_at = ? where tenant_id = ?', [
        new Date(ms),
        tenantId,
      ]);
    await endAt(LAST_INSTANT_MS - 1);
    expect(await preview(tenantId, userId, codes[1] ?? '')).toBeNull();
    expect(outcomeOf(await redeem(world, tenantId, userId, codes[1] ?? ''))).toBe('COMMITTED');
    expect(await preview(tenantId, userId, codes[2] ?? '')).toBe('REWARD_HAS_NO_EFFECT');
    expect(outcomeOf(await redeem(world, tenantId, userId, codes[2] ?? ''))).toBe('REWARD_HAS_NO_EFFECT');
  });

  it('is redeemed when one of several rewards has an effect, or renews used traffic', async () => {
    const { tenantId, tenant, userId, planId, codes } = await lifetimeHolder();
    const other = await world.services.plans.create(tenantId, {
      name: 'Monthly',
      unitPrice: '1',
      unitTime: 'MONTH',
    });
    const rewardRules = [planId, other.id].map((id) => ({ type: 'SUBSCRIPTION', id }));
    const mixed = await seedCampaign(world, tenant, 1, { rule: { rewardRules } });
    expect(await preview(tenantId, userId, mixed.codes[0] ?? '')).toBeNull();
    expect(outcomeOf(await redeem(world, tenantId, userId, mixed.codes[0] ?? ''))).toBe('COMMITTED');
    await emOf(world, tenantId).execute(
      'update subscription set traffic_used_bytes = 5 where tenant_id = ? and plan_id = ?',
      [tenantId, planId],
    );
    expect(outcomeOf(await redeem(world, tenantId, userId, codes[1] ?? ''))).toBe('COMMITTED');
  });

  it('is spent once when a user redeems three lifetime codes at the same moment', async () => {
    const tenant = await seedTenant(world, { unitTime: 'NO_LIMIT' });
    const { tenantId } = tenant;
    const userId = await seedUser(world, tenantId);
    const { codes } = await seedCampaign(world, tenant, 3);
    const answers = await Promise.all(codes.map(async (code) => redeem(world, tenantId, userId, code)));
    expect(tally(answers)).toEqual({ COMMITTED: 1, REWARD_HAS_NO_EFFECT: 2 });
    expect(await factsOf(world, tenantId)).toMatchObject({ committed: 1, used: 1 });
  });
});
