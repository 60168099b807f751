import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Subscription } from '../../src/subscriptions/subscription.entity.js';
import { factsOf } from '../support/facts.js';
import { openClaim } from '../support/open-claim.js';
import {
  emOf,
  openWorld,
  outcomeOf,
  redeem,
  seedCampaign,
  seedTenant,
  seedUser,
  seedUsers,
  type World,
} from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => world?.close());

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

describe('the order of the refusals', () => {
  it('is one for preview, redemption and commit: reason after reason is taken away, and all three name the next', async () => {
    const tenant = await seedTenant(world, { unitTime: 'NO_LIMIT' });
    const { tenantId } = tenant;
    const [userId = '', other = ''] = await seedUsers(world, tenantId, 2);
    const { campaignId, codes } = await seedCampaign(world, tenant, 2);
    const [code = '', earlier = ''] = codes;
    const claim = await openClaim(world, tenant, code, userId);
    const { codeId, digest } = claim;
    await world.services.aborts.abort(tenantId, [{ claim, reason: 'TEST' }]);
    await redeem(world, tenantId, other, code);
    await redeem(world, tenantId, userId, earlier);

    const em = emOf(world, tenantId);
    const set = async (table: 'code' | 'campaign', values: string): Promise<void> => {
      const id = table === 'code' ? codeId : campaignId;
      await em.execute(
        `update ${table} set ${values}, version = version + 1 where tenant_id = ? and id = ?`,
        [tenantId, id],
      );
      await world.services.copies.evict(tenantId, digest, 0);
      await world.services.copies.bumpEpoch(tenantId);
    };
    const answers = async () => {
      // The commit comes first: Redis knows of limits that are reached only what a commit has found.
      const redemptionId = world.services.ids.next();
      const outcome = await world.services.groupCommit.settle({ ...claim, redemptionId });
      const { refusal } = await preview(tenantId, userId, code);
      const redeemed = outcomeOf(await redeem(world, tenantId, userId, code));
      return [refusal?.code, redeemed, outcome.kind === 'REFUSED' ? outcome.refusal : outcome.kind];
    };

    await set('campaign', "status = 'PAUSED', user_limit_total = 1, budget_uses = 1");
    await set(
      'code',
      `status = 'DISABLED', starts_at = now(3) + interval 1 day, expires_at = now(3) - interval 1 day,
        assigned_user_id = ${other}`,
    );
    const reasons = [
      ['CAMPAIGN_NOT_ACTIVE', 'campaign', "status = 'ACTIVE'"],
      ['CODE_INACTIVE', 'code', "status = 'ACTIVE'"],
      ['CODE_NOT_STARTED', 'code', 'starts_at = null'],
      ['CODE_EXPIRED', 'code', 'expires_at = null'],
      ['CODE_NOT_YOURS', 'code', 'assigned_user_id = null'],
      ['USER_LIMIT_REACHED', 'campaign', 'user_limit_total = 0'],
      ['CODE_EXHAUSTED', 'code', 'use_limit = 2'],
      ['BUDGET_EXHAUSTED', 'campaign', 'budget_uses = 0'],
    ] as const;
    const before = await factsOf(world, tenantId);
    for (const [reason, table, without] of reasons) {
      expect(await answers()).toEqual([reason, reason, reason]);
      await set(table, without);
    }
    const last = 'REWARD_HAS_NO_EFFECT';
    expect(await answers()).toEqual([last, last, last]);
    // The commit writes a tombstone for each claim it refuses; nothing else was written.
    const refused = reasons.length + 1;
    expect(await factsOf(world, tenantId)).toEqual({ ...before, tombstones: before.tombstones + refused });
  });
});
