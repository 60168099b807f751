import { expect } from 'vitest';
import { CampaignUsage } from '../../src/campaigns/campaign-usage.entity.js';
import { Code } from '../../src/codes/code.entity.js';
import { Order } from '../../src/orders/orders/order.entity.js';
import { OutboxEvent } from '../../src/platform/outbox/outbox.entity.js';
import { DomainError } from '../../src/platform/errors.js';
import type { RedemptionRecord } from '../../src/redemption/history/redemption-record.js';
import { Redemption } from '../../src/redemption/history/redemption.entity.js';
import { RewardGrant } from '../../src/redemption/history/reward-grant.entity.js';
import { Subscription } from '../../src/subscriptions/subscription.entity.js';
import { driftsOf, reconcilerOf } from './reconciliation.js';
import { expectAtRest } from './truth.js';
import { emOf, redeem, seedCampaign, seedTenant, seedUser, type RedeemOptions, type World } from './world.js';

/** The redemption of a code that can be redeemed. */
export async function redeemed(
  world: World,
  tenantId: string,
  userId: string,
  code: string,
  options: RedeemOptions = {},
): Promise<RedemptionRecord> {
  const { redemption, refusal } = await redeem(world, tenantId, userId, code, options);
  if (redemption === null || refusal !== null) throw new Error(`Not redeemed: ${refusal?.code}`);
  return redemption;
}

/** One redemption of one code of a fresh tenant. */
export async function redeemedOnce(
  world: World,
  options: Parameters<typeof seedCampaign>[3] = {},
  plan: Record<string, unknown> = {},
) {
  const tenant = await seedTenant(world, plan);
  const { tenantId } = tenant;
  const { codes, campaignId } = await seedCampaign(world, tenant, 1, options);
  const [code = ''] = codes;
  const userId = await seedUser(world, tenantId);
  const redemption = await redeemed(world, tenantId, userId, code);
  return { ...tenant, campaignId, code, userId, redemption };
}

/** What reconciliation says of a tenant at rest. Nothing handles events where no worker runs. */
export async function driftsAtRest(world: World, tenantId: string): Promise<Record<string, number>> {
  await expectAtRest(world, tenantId);
  const report = await reconcilerOf(world).reconciler.run({ tenantId, repair: false });
  const { EVENT_UNHANDLED: _, ...drifts } = driftsOf(report);
  return drifts;
}

/** No drift of any kind, when all is done. */
export async function expectNoDrift(world: World, tenantId: string): Promise<void> {
  expect(await driftsAtRest(world, tenantId)).toEqual({});
}

export async function reverse(
  { services }: World,
  tenantId: string,
  redemptionId: string,
  wish: Record<string, unknown> = {},
): Promise<RedemptionRecord> {
  return services.reversals.reverse(tenantId, 'eve', { redemptionId, reason: 'a mistake', ...wish });
}

/** REVERSED, or the code of the refusal. */
export async function reversalOutcome(reversed: Promise<RedemptionRecord>): Promise<string> {
  try {
    return (await reversed).status;
  } catch (error) {
    if (error instanceof DomainError) return String(error.code);
    throw error;
  }
}

/** Everything that a reversal may change, to the letter. */
export async function stateOf(world: World, tenantId: string) {
  const em = emOf(world, tenantId);
  const all = { disableIdentityMap: true } as const;
  const byId = { ...all, orderBy: { id: 'asc' } } as const;
  return structuredClone({
    codes: await em.find(Code, {}, byId),
    redemptions: await em.find(Redemption, {}, byId),
    orders: await em.find(Order, {}, byId),
    grants: await em.find(RewardGrant, {}, { ...all, orderBy: { redemptionId: 'asc', rewardNo: 'asc' } }),
    subscriptions: await em.find(Subscription, {}, byId),
    usage: await em.find(CampaignUsage, {}, { ...all, orderBy: { userId: 'asc', day: 'asc' } }),
    events: await em.find(OutboxEvent, {}, { ...all, orderBy: { seq: 'asc' } }),
    totals: await em.execute('select * from redemption_total where tenant_id = ? order by day, status', [
      tenantId,
    ]),
    codeTotals: await em.execute(
      'select batch_id, is_used_up, total from code_total where tenant_id = ? order by batch_id, is_used_up',
      [tenantId],
    ),
  });
}

/** Moves the times of a redemption's subscription back, as if it had been redeemed that long ago. */
export async function ageSubscription(
  world: World,
  tenantId: string,
  redemptionId: string,
  ms: number,
): Promise<void> {
  const em = emOf(world, tenantId);
  const by = Math.round(ms * 1000);
  await em.execute(
    `update subscription s join reward_grant g on g.tenant_id = s.tenant_id and g.target_id = s.id
        set s.started_at = s.started_at - interval ? microsecond, s.expires_at = s.expires_at - interval ? microsecond,
            g.period_from = g.period_from - interval ? microsecond, g.period_until = g.period_until - interval ? microsecond
      where g.tenant_id = ? and g.redemption_id = ?`,
    [by, by, by, by, tenantId, redemptionId],
  );
}
