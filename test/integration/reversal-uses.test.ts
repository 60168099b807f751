import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Code } from '../../src/codes/code.entity.js';
import type { PublishedEvent } from '../../src/platform/outbox/published-event.js';
import { keysOf } from '../support/redis-keys.js';
import { expectNoDrift, redeemed, redeemedOnce, reverse, stateOf } from '../support/reversals.js';
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
import { withinOne } from '../support/periods.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => world?.close());

const PLAIN = { disableIdentityMap: true } as const;

describe('the use of a reversed redemption', () => {
  it('stays spent by default: the code is used up, and the user has redeemed it', async () => {
    const { tenantId, userId, code, redemption } = await redeemedOnce(world);
    await reverse(world, tenantId, redemption.id);
    expect(outcomeOf(await redeem(world, tenantId, userId, code))).toBe('ALREADY_REDEEMED');
    const stranger = await seedUser(world, tenantId);
    expect(outcomeOf(await redeem(world, tenantId, stranger, code))).toBe('CODE_EXHAUSTED');
  });

  it('is given back if asked for: the same user may redeem the code again, under the next number', async () => {
    const { tenantId, userId, code, redemption } = await redeemedOnce(world);
    await reverse(world, tenantId, redemption.id, { returnUse: true });
    const [row] = await emOf(world, tenantId).find(Code, {}, PLAIN);
    expect(row).toMatchObject({ used: 0, lastUseNo: 1 });
    const again = await redeemed(world, tenantId, userId, code);
    expect(again).toMatchObject({ useNo: 2, userUseNo: 1, status: 'COMMITTED' });
    expect(again.id).not.toBe(redemption.id);
    await expectNoDrift(world, tenantId);
  });

  it('can be given back again and again', async () => {
    const { tenantId, userId, code, redemption } = await redeemedOnce(world);
    let last = redemption;
    for (let useNo = 2; useNo <= 4; useNo += 1) {
      await reverse(world, tenantId, last.id, { returnUse: true });
      last = await redeemed(world, tenantId, userId, code);
      expect(last.useNo).toBe(useNo);
    }
    await expectNoDrift(world, tenantId);
  });

  it('goes to another user, too; then the first one is too late', async () => {
    const { tenantId, userId, code, redemption } = await redeemedOnce(world);
    await reverse(world, tenantId, redemption.id, { returnUse: true });
    const other = await seedUser(world, tenantId);
    expect(outcomeOf(await redeem(world, tenantId, other, code))).toBe('COMMITTED');
    expect(outcomeOf(await redeem(world, tenantId, userId, code))).toBe('CODE_EXHAUSTED');
  });

  it('keeps what its idempotency key answers: the same redemption, now REVERSED', async () => {
    const tenant = await seedTenant(world);
    const { tenantId } = tenant;
    const { codes } = await seedCampaign(world, tenant, 1);
    const [code = ''] = codes;
    const userId = await seedUser(world, tenantId);
    const key = { idempotencyKey: 'once' };
    const { id } = await redeemed(world, tenantId, userId, code, key);
    await reverse(world, tenantId, id, { returnUse: true });
    const replayed = { status: 'COMMITTED', redemption: { id, status: 'REVERSED' } };
    expect(await redeem(world, tenantId, userId, code, key)).toMatchObject(replayed);
    await world.stores.redis.del(...(await keysOf(world.stores.redis, `{${tenantId}}:*`)));
    expect(await redeem(world, tenantId, userId, code, key)).toMatchObject(replayed);
    const again = await redeemed(world, tenantId, userId, code, { idempotencyKey: 'twice' });
    expect(again.id).not.toBe(id);
    await expectNoDrift(world, tenantId);
  });

  it('counts in the limits of the campaign until it is given back', async () => {
    await withinOne(86_400_000, 20_000);
    const tenant = await seedTenant(world);
    const { tenantId } = tenant;
    const campaign = { userLimitTotal: 1, userLimitDay: 1, budgetUses: 1, budgetValue: '5' };
    const rule = { rewardRules: [{ type: 'SUBSCRIPTION', id: tenant.planId, value: '5' }] };
    const { codes } = await seedCampaign(world, tenant, 3, { campaign, rule });
    const [a = '', b = '', c = ''] = codes;
    const [userId = '', other = ''] = await seedUsers(world, tenantId, 2);
    const kept = await redeemed(world, tenantId, userId, a);
    expect(outcomeOf(await redeem(world, tenantId, userId, b))).toBe('USER_LIMIT_REACHED');
    expect(outcomeOf(await redeem(world, tenantId, other, b))).toBe('BUDGET_EXHAUSTED');
    await reverse(world, tenantId, kept.id);
    // The counters are made again from the rows, as after a limit was set.
    await emOf(world, tenantId).execute('delete from campaign_usage where tenant_id = ?', [tenantId]);
    expect(outcomeOf(await redeem(world, tenantId, userId, b))).toBe('USER_LIMIT_REACHED');
    const raised = { userLimitTotal: 2, userLimitDay: 2, budgetUses: 2, budgetValue: '10' };
    const { campaignId } = kept;
    await world.services.campaignChanges.update(tenantId, campaignId, raised);
    const second = await redeemed(world, tenantId, userId, b);
    expect(outcomeOf(await redeem(world, tenantId, other, c))).toBe('BUDGET_EXHAUSTED');
    await reverse(world, tenantId, second.id, { returnUse: true });
    expect(outcomeOf(await redeem(world, tenantId, userId, c))).toBe('COMMITTED');
    await expectNoDrift(world, tenantId);
  });

  it('is counted right where the counter is made only by the reversal', async () => {
    const tenant = await seedTenant(world);
    const { tenantId } = tenant;
    const { codes, campaignId } = await seedCampaign(world, tenant, 2);
    const userId = await seedUser(world, tenantId);
    const redemptions = [];
    for (const code of codes) redemptions.push(await redeemed(world, tenantId, userId, code));
    await world.services.campaignChanges.update(tenantId, campaignId, { userLimitTotal: 5, budgetUses: 9 });
    await reverse(world, tenantId, redemptions[0]?.id ?? '', { returnUse: true });
    const { usage } = await stateOf(world, tenantId);
    expect(usage.map(({ uses }) => uses)).toEqual([1, 1]);
    await expectNoDrift(world, tenantId);
  });

  it('is forgotten by Redis, and a marker that comes late refuses no attempt', async () => {
    const { tenantId, userId, code, redemption } = await redeemedOnce(world, { rule: { useLimit: 2 } });
    const { codeDigest } = await emOf(world, tenantId).findOneOrFail(Code, {}, PLAIN);
    const done = `{${tenantId}}:done:${userId}:${codeDigest}`;
    expect(await world.stores.redis.get(done)).toBe(redemption.id);
    await reverse(world, tenantId, redemption.id, { returnUse: true });
    expect(await world.stores.redis.get(done)).toBeNull();
    await world.stores.redis.set(done, redemption.id);
    await expectNoDrift(world, tenantId);
    expect(outcomeOf(await redeem(world, tenantId, userId, code))).toBe('COMMITTED');
    await expectNoDrift(world, tenantId);
  });

  it('is forgotten by the consumer of its event where the process could not', async () => {
    const { tenantId, userId, code, redemption } = await redeemedOnce(world);
    const { codeDigest } = await emOf(world, tenantId).findOneOrFail(Code, {}, PLAIN);
    const copy = `{${tenantId}}:code:${codeDigest}`;
    // As the copy was before: used up, by this user.
    expect(outcomeOf(await redeem(world, tenantId, userId, code))).toBe('ALREADY_REDEEMED');
    const before = await world.stores.redis.hgetall(copy);
    await reverse(world, tenantId, redemption.id, { returnUse: true });
    await world.stores.redis.del(copy);
    await world.stores.redis.hset(copy, before);
    const { events } = await stateOf(world, tenantId);
    const told = events.filter(({ type }) => type === 'redemption_reversed') as unknown as PublishedEvent[];
    for (let round = 0; round < 2; round += 1) await world.services.reversals.follow(tenantId, told);
    expect(outcomeOf(await redeem(world, tenantId, userId, code))).toBe('COMMITTED');
    await expectNoDrift(world, tenantId);
  });

  it('of a deleted code comes back, and the code stays deleted', async () => {
    const { tenantId, userId, code, redemption } = await redeemedOnce(world);
    await world.services.codeChanges.delete(tenantId, [redemption.codeId]);
    await reverse(world, tenantId, redemption.id, { returnUse: true });
    expect(outcomeOf(await redeem(world, tenantId, userId, code))).toBe('CODE_NOT_FOUND');
    await expectNoDrift(world, tenantId);
  });
});
