import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Order } from '../../src/orders/orders/order.entity.js';
import { OutboxEvent } from '../../src/platform/outbox/outbox.entity.js';
import { Plan } from '../../src/subscriptions/plan.entity.js';
import { Subscription } from '../../src/subscriptions/subscription.entity.js';
import { invalidatedBy } from '../../src/subscriptions/subscription-events.js';
import type { PublishedEvent } from '../../src/platform/outbox/published-event.js';
import {
  ageSubscription,
  expectNoDrift,
  redeemed,
  redeemedOnce,
  reversalOutcome,
  reverse,
  stateOf,
} from '../support/reversals.js';
import {
  emOf,
  openWorld,
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

const DAY_MS = 86_400_000;
const PLAIN = { disableIdentityMap: true } as const;

const subscriptionOf = async (tenantId: string, userId: string) =>
  emOf(world, tenantId).findOneOrFail(Subscription, { userId }, PLAIN);

describe('a reversal', () => {
  it('marks the redemption, its grants and its order, and tells of it once', async () => {
    const { tenantId, redemption } = await redeemedOnce(world);
    const reversed = await reverse(world, tenantId, redemption.id);
    expect(reversed).toMatchObject({
      id: redemption.id,
      status: 'REVERSED',
      reversedBy: 'eve',
      reversalReason: 'a mistake',
      useNo: 1,
      userUseNo: 1,
      rewards: [{ status: 'REVERSED', debt: null }],
    });
    const { redemptions, orders, grants, events } = await stateOf(world, tenantId);
    expect(redemptions).toMatchObject([{ status: 'REVERSED', useNo: 1, userUseNo: 1 }]);
    expect(redemptions[0]?.reversedAt).toEqual(reversed.reversedAt);
    expect(orders).toMatchObject([{ status: 'REFUNDED', type: 'REDEMPTION' }]);
    expect(grants).toMatchObject([{ status: 'REVERSED', debt: null }]);
    const told = events.filter(({ type }) => type === 'redemption_reversed');
    expect(told).toMatchObject([
      {
        userId: redemption.userId,
        payload: {
          redemptionId: redemption.id,
          useReturned: false,
          returned: null,
          rewards: [{ rewardNo: 0, type: 'SUBSCRIPTION', debt: null }],
        },
      },
    ]);
    await expectNoDrift(world, tenantId);
  });

  it('is refused a second time, and changes nothing then', async () => {
    const { tenantId, redemption } = await redeemedOnce(world);
    await reverse(world, tenantId, redemption.id);
    const before = await stateOf(world, tenantId);
    const again = reverse(world, tenantId, redemption.id, { reason: 'again', returnUse: true });
    expect(await reversalOutcome(again)).toBe('ALREADY_REVERSED');
    expect(await stateOf(world, tenantId)).toEqual(before);
  });

  it('X.9 has no time limit: the redemption may be years old, and its events are long gone', async () => {
    const { tenantId, userId, redemption } = await redeemedOnce(world);
    const em = emOf(world, tenantId);
    await em.execute('update redemption set claimed_at = claimed_at - interval 5 year where tenant_id = ?', [
      tenantId,
    ]);
    await ageSubscription(world, tenantId, redemption.id, 5 * 365 * DAY_MS);
    await em.nativeDelete(OutboxEvent, {});
    const reversed = await reverse(world, tenantId, redemption.id, { spent: 'DEBT' });
    expect(reversed.rewards[0]?.debt).toMatch(/^\d+ DAY$/);
    expect(await subscriptionOf(tenantId, userId)).toBeDefined();
  });

  it.each([
    ['no reason', { reason: '  ' }, 'REASON_NOT_ALLOWED'],
    ['a reason of two lines', { reason: 'a\nb' }, 'REASON_NOT_ALLOWED'],
    ['a long reason', { reason: 'r'.repeat(201) }, 'REASON_NOT_ALLOWED'],
    ['an unknown field', { force: true }, 'INPUT_NOT_ALLOWED'],
    ['an unknown wish for what was spent', { spent: 'FORGIVE' }, 'INPUT_NOT_ALLOWED'],
    ['an id that is none', { redemptionId: 'x' }, 'REDEMPTION_NOT_FOUND'],
    ['an unknown id', { redemptionId: '4711' }, 'REDEMPTION_NOT_FOUND'],
  ])('is refused with %s, and nothing is written', async (_name, wish, code) => {
    const { tenantId, redemption } = await redeemedOnce(world);
    const before = await stateOf(world, tenantId);
    expect(await reversalOutcome(reverse(world, tenantId, redemption.id, wish))).toBe(code);
    expect(await stateOf(world, tenantId)).toEqual(before);
  });

  it("does not find another tenant's redemption, nor a tombstone", async () => {
    const { tenantId, redemption, userId } = await redeemedOnce(world);
    const { tenantId: other } = await seedTenant(world);
    expect(await reversalOutcome(reverse(world, other, redemption.id))).toBe('REDEMPTION_NOT_FOUND');
    const id = world.services.ids.next();
    await emOf(world, tenantId).execute(
      `insert into redemption (tenant_id, id, status, code_id, campaign_id, batch_id, user_id, product_code, claimed_at,
          settled_at, abort_reason) values (?, ?, 'ABORTED', 1, 1, 1, ?, 'DEMO', now(3), now(3), 'DEADLINE_PASSED')`,
      [tenantId, id, userId],
    );
    expect(await reversalOutcome(reverse(world, tenantId, id))).toBe('REDEMPTION_NOT_FOUND');
  });
});

describe('a subscription that is taken back', () => {
  it('ends when the redemption had started it, gives its inventory back and invalidates caches', async () => {
    const { tenantId, planId, userId, redemption } = await redeemedOnce(world, {}, { inventory: 3 });
    const { subscriptions } = world.services;
    expect(await subscriptions.mine(tenantId, userId)).toMatchObject([{ status: 'ACTIVE' }]);
    await reverse(world, tenantId, redemption.id);
    const subscription = await subscriptionOf(tenantId, userId);
    expect(subscription.status).toBe('DEDUCTED');
    expect(subscription.expiresAt?.getTime()).toBeLessThanOrEqual(Date.now());
    expect(await emOf(world, tenantId).findOneOrFail(Plan, { id: planId }, PLAIN)).toMatchObject({
      inventory: 3,
    });
    expect(await subscriptions.mine(tenantId, userId)).toMatchObject([{ status: 'DEDUCTED' }]);
    const { events } = await stateOf(world, tenantId);
    const reversal = events.find(({ type }) => type === 'redemption_reversed') as unknown as PublishedEvent;
    expect(invalidatedBy(reversal)).toEqual([{ subscriptionId: subscription.id, planId }]);
  });

  it('gives no inventory back that it never took: the plan was unlimited when it started', async () => {
    const { tenantId, planId, redemption } = await redeemedOnce(world);
    await world.services.plans.update(tenantId, planId, { inventory: 5 });
    await reverse(world, tenantId, redemption.id);
    const plan = await emOf(world, tenantId).findOneOrFail(Plan, { id: planId }, PLAIN);
    expect(plan.inventory).toBe(5);
    await expectNoDrift(world, tenantId);
  });

  it('gives inventory back that it took, also where the plan was unlimited in between', async () => {
    const { tenantId, planId, redemption } = await redeemedOnce(world, {}, { inventory: 3 });
    await world.services.plans.update(tenantId, planId, { inventory: -1 });
    await world.services.plans.update(tenantId, planId, { inventory: 2 });
    await reverse(world, tenantId, redemption.id);
    const plan = await emOf(world, tenantId).findOneOrFail(Plan, { id: planId }, PLAIN);
    expect(plan.inventory).toBe(3);
  });

  it('is not extended afterwards: the next code starts another one', async () => {
    const tenant = await seedTenant(world);
    const { codes } = await seedCampaign(world, tenant, 2);
    const userId = await seedUser(world, tenant.tenantId);
    const first = await redeemed(world, tenant.tenantId, userId, codes[0] ?? '');
    await reverse(world, tenant.tenantId, first.id);
    const second = await redeemed(world, tenant.tenantId, userId, codes[1] ?? '');
    expect(second.rewards[0]?.targetId).not.toBe(first.rewards[0]?.targetId);
  });

  it('is shortened by exactly what the redemption had added', async () => {
    const tenant = await seedTenant(world);
    const { codes } = await seedCampaign(world, tenant, 3);
    const { tenantId } = tenant;
    const userId = await seedUser(world, tenantId);
    const ends: (Date | null | undefined)[] = [];
    const redemptions = [];
    for (const code of codes) {
      redemptions.push(await redeemed(world, tenantId, userId, code));
      ends.push((await subscriptionOf(tenantId, userId)).expiresAt);
    }
    await reverse(world, tenantId, redemptions[2]?.id ?? '');
    expect((await subscriptionOf(tenantId, userId)).expiresAt).toEqual(ends[1]);
    await reverse(world, tenantId, redemptions[1]?.id ?? '');
    const left = await subscriptionOf(tenantId, userId);
    expect(left).toMatchObject({ status: 'ACTIVE', expiresAt: ends[0] });
    await expectNoDrift(world, tenantId);
  });

  it('keeps the time that the second code gave, when the first is reversed', async () => {
    const tenant = await seedTenant(world, { unitTime: 'DAY' });
    const { codes } = await seedCampaign(world, tenant, 2);
    const userId = await seedUser(world, tenant.tenantId);
    const first = await redeemed(world, tenant.tenantId, userId, codes[0] ?? '');
    await redeemed(world, tenant.tenantId, userId, codes[1] ?? '');
    const before = await subscriptionOf(tenant.tenantId, userId);
    await reverse(world, tenant.tenantId, first.id);
    const after = await subscriptionOf(tenant.tenantId, userId);
    expect(after.status).toBe('ACTIVE');
    expect((before.expiresAt?.getTime() ?? 0) - (after.expiresAt?.getTime() ?? 0)).toBe(DAY_MS);
  });

  it('refuses what has been used, or states it as a debt and takes the rest', async () => {
    const { tenantId, userId, redemption } = await redeemedOnce(world);
    await ageSubscription(world, tenantId, redemption.id, 3 * DAY_MS);
    const before = await stateOf(world, tenantId);
    expect(await reversalOutcome(reverse(world, tenantId, redemption.id))).toBe('REWARD_SPENT');
    expect(await stateOf(world, tenantId)).toEqual(before);
    const reversed = await reverse(world, tenantId, redemption.id, { spent: 'DEBT' });
    expect(reversed.rewards).toMatchObject([{ debt: '3 DAY' }]);
    expect(await subscriptionOf(tenantId, userId)).toMatchObject({ status: 'DEDUCTED' });
    await expectNoDrift(world, tenantId);
  });

  it('without end gets the end back that it had before', async () => {
    const tenant = await seedTenant(world);
    const { tenantId, planId } = tenant;
    const { codes: months } = await seedCampaign(world, tenant, 1);
    const endless = { rewardRules: [{ type: 'SUBSCRIPTION', id: planId, unit: 'NO_LIMIT' }] };
    const { codes: lifetimes } = await seedCampaign(world, tenant, 1, { rule: endless });
    const userId = await seedUser(world, tenantId);
    const month = await redeemed(world, tenantId, userId, months[0] ?? '');
    const { expiresAt } = await subscriptionOf(tenantId, userId);
    const lifetime = await redeemed(world, tenantId, userId, lifetimes[0] ?? '');
    expect((await subscriptionOf(tenantId, userId)).expiresAt).toBeNull();
    expect(await reversalOutcome(reverse(world, tenantId, month.id))).toBe('REWARD_SPENT');
    await reverse(world, tenantId, lifetime.id);
    expect((await subscriptionOf(tenantId, userId)).expiresAt).toEqual(expiresAt);
    await reverse(world, tenantId, month.id);
    expect((await subscriptionOf(tenantId, userId)).status).toBe('DEDUCTED');
  });

  it('of a former version, whose grants kept no periods, is counted from the grant', async () => {
    const { tenantId, userId, redemption } = await redeemedOnce(world);
    await emOf(world, tenantId).execute(
      'update reward_grant set period_from = null, period_until = null where tenant_id = ?',
      [tenantId],
    );
    await reverse(world, tenantId, redemption.id);
    expect((await subscriptionOf(tenantId, userId)).status).toBe('DEDUCTED');
  });

  it('twice by one redemption is taken back twice', async () => {
    const tenant = await seedTenant(world, { unitTime: 'DAY', inventory: 1 });
    const reward = { type: 'SUBSCRIPTION', id: tenant.planId };
    const { codes } = await seedCampaign(world, tenant, 1, { rule: { rewardRules: [reward, reward] } });
    const userId = await seedUser(world, tenant.tenantId);
    const { id } = await redeemed(world, tenant.tenantId, userId, codes[0] ?? '');
    await reverse(world, tenant.tenantId, id);
    expect((await subscriptionOf(tenant.tenantId, userId)).status).toBe('DEDUCTED');
    const plan = await emOf(world, tenant.tenantId).findOneOrFail(Plan, { id: tenant.planId }, PLAIN);
    expect(plan.inventory).toBe(1);
    await expectNoDrift(world, tenant.tenantId);
  });
});

describe('lists and totals', () => {
  it('show reversed redemptions, and count them apart', async () => {
    const tenant = await seedTenant(world);
    const { tenantId } = tenant;
    const { codes, campaignId } = await seedCampaign(world, tenant, 3);
    const users = await seedUsers(world, tenantId, 3);
    const redemptions = [];
    for (const [at, code] of codes.entries())
      redemptions.push(await redeemed(world, tenantId, users[at] ?? '', code));
    await reverse(world, tenantId, redemptions[0]?.id ?? '');
    await reverse(world, tenantId, redemptions[1]?.id ?? '', { returnUse: true });
    const page = { offset: 0, size: 1 };
    const totalOf = async (filter: object) =>
      (await world.services.redemptionReader.page(tenantId, { campaignId, ...filter }, page)).total;
    expect(await totalOf({})).toBe(3);
    expect(await totalOf({ status: 'REVERSED' })).toBe(2);
    expect(await totalOf({ status: 'COMMITTED' })).toBe(1);
    const { codeTotals } = await stateOf(world, tenantId);
    expect(codeTotals).toMatchObject([
      { is_used_up: 0, total: 1 },
      { is_used_up: 1, total: 2 },
    ]);
    const orders = await emOf(world, tenantId).find(Order, { status: 'REFUNDED' }, PLAIN);
    expect(orders).toHaveLength(2);
    await expectNoDrift(world, tenantId);
  });
});
