import { describe, expect, it } from 'vitest';
import { Code } from '../../src/codes/code.entity.js';
import { EFFECTIVE_STATUSES } from '../../src/codes/effective-status.js';
import { EventLog } from '../../src/platform/outbox/event-log.js';
import { openBeforeAll } from '../support/open-before-all.js';
import { ProductApi, staffOf } from '../support/product-api.js';
import { createScratchDatabase } from '../support/scratch-database.js';
import { statementsOf } from '../support/statements.js';
import {
  emOf,
  openWorld,
  redeem,
  seedCampaign,
  seedTenant,
  seedUsers,
  type World,
} from '../support/world.js';
import { withinOne } from '../support/periods.js';

let world: World;
let api: ProductApi;
openBeforeAll(async (closing) => {
  const database = await closing(createScratchDatabase());
  world = await closing(openWorld({}, database));
  api = new ProductApi(world);
});

const REPORT = `query ($campaignId: ID!, $days: Int) { campaignReport(campaignId: $campaignId, days: $days) {
  campaignId redemptions { committed reversed } budgetUses usedUses budgetValue usedValue codes { status count }
  batches { byStatus { status count } frozen voided awaitingActivation } refusals { refusal total }
  days { startsAt committed reversed refused refusals { refusal total } } } }`;

interface Shown {
  readonly codes: { status: string; count: number }[];
  readonly days: { startsAt: string[]; committed: number[] };
}

async function reportOf(tenantId: string, campaignId: string, days?: number): Promise<Shown> {
  const { data, errors } = await api.ask(staffOf(tenantId, 'AUDITOR'), REPORT, { campaignId, days });
  expect(errors).toEqual([]);
  return data['campaignReport'] as unknown as Shown;
}

async function countSeries(tenantId: string): Promise<void> {
  const consumer = world.services.consumers.find(({ name }) => name === 'redemption_series');
  const events = await new EventLog(world.stores.orm, 5000).next(
    tenantId,
    consumer?.types ?? [],
    0,
    1_000_000,
    10_000,
  );
  await consumer?.handle(tenantId, events);
  await world.services.refusalCounter.flush();
}

describe('the report of a campaign', () => {
  it('shows uses, budget, refusals and days of this campaign, and of no other', async () => {
    await withinOne(86_400_000, 20_000);
    const tenant = await seedTenant(world);
    const { tenantId, planId } = tenant;
    const options = {
      campaign: { budgetUses: 4, budgetValue: '100' },
      rule: { rewardRules: [{ type: 'SUBSCRIPTION', id: planId, value: '2.5' }] },
    };
    const { campaignId, codes } = await seedCampaign(world, tenant, 5, options);
    const other = await seedCampaign(world, tenant, 5, options);
    const users = await seedUsers(world, tenantId, 5);
    const answers = [];
    for (const [at, userId] of users.entries())
      answers.push(await redeem(world, tenantId, userId, codes[at] ?? ''));
    await redeem(world, tenantId, users[0] ?? '', codes[0] ?? '');
    await redeem(world, tenantId, users[0] ?? '', other.codes[0] ?? '');
    const redemptionId = answers[0]?.redemption?.id;
    await world.services.reversals.reverse(tenantId, 'eve', { redemptionId, reason: 'A test' });
    await countSeries(tenantId);
    expect(await reportOf(tenantId, campaignId)).toMatchObject({
      campaignId,
      redemptions: { committed: 3, reversed: 1 },
      budgetUses: 4,
      usedUses: 4,
      budgetValue: '100',
      usedValue: '10',
      codes: [
        { status: 'USED_UP', count: 4 },
        { status: 'ACTIVE', count: 1 },
      ],
      refusals: [
        { refusal: 'ALREADY_REDEEMED', total: 1 },
        { refusal: 'BUDGET_EXHAUSTED', total: 1 },
      ],
    });
    const { days } = await reportOf(tenantId, campaignId, 7);
    expect(days.startsAt).toHaveLength(7);
    expect(days.committed).toEqual([0, 0, 0, 0, 0, 0, 4]);
    expect((await reportOf(tenantId, campaignId)).days.startsAt).toHaveLength(30);
    const { tenantId: stranger } = await seedTenant(world);
    const foreign = await api.ask(staffOf(stranger), REPORT, { campaignId });
    expect(foreign).toEqual({ data: { campaignReport: null }, errors: [] });
    expect((await api.ask(staffOf(tenantId), REPORT, { campaignId, days: 0 })).errors).toEqual([
      'BAD_USER_INPUT',
    ]);
  });

  it('counts codes by the state that lists find them in, and by their own while the campaign is paused', async () => {
    const tenant = await seedTenant(world);
    const { tenantId } = tenant;
    const { services } = world;
    const { campaignId } = await seedCampaign(world, tenant, 9);
    const [userId = ''] = await seedUsers(world, tenantId, 1);
    const make = async (activateAtSale = false) =>
      services.generation.generate(tenantId, { campaignId, count: 3, activateAtSale });
    const [frozen, voided] = [await make(), await make()];
    await make(true);
    await services.batchChanges.freeze(tenantId, frozen.batch.id);
    await services.batchChanges.void(tenantId, voided.batch.id);
    await services.generation.generate(tenantId, { campaignId, count: 20_000 });
    const [disabled, assigned, expired] = await emOf(world, tenantId).find(
      Code,
      { campaignId },
      { limit: 3 },
    );
    await services.codeChanges.setEnabled(tenantId, disabled?.id ?? '', false);
    await services.codeChanges.update(tenantId, assigned?.id ?? '', { assignedUserId: userId });
    const expiresAt = new Date(Date.now() + 1);
    await services.codeChanges.update(tenantId, expired?.id ?? '', { expiresAt });
    await expect.poll(() => Date.now() > expiresAt.getTime()).toBe(true);
    const shown = async (): Promise<Record<string, number>> => {
      const { codes } = await reportOf(tenantId, campaignId);
      return Object.fromEntries(codes.map(({ status, count }) => [status, count]));
    };
    const listed: Record<string, number> = {};
    for (const status of EFFECTIVE_STATUSES) {
      const range = { offset: 0, size: 1 };
      const { total } = await services.codeReader.page(
        tenantId,
        { campaignId, effectiveStatus: [status] },
        range,
      );
      if (total > 0) listed[status] = total;
    }
    expect(listed).toEqual({
      ACTIVE: 6,
      ASSIGNED: 1,
      DISABLED: 1,
      EXPIRED: 1,
      FROZEN: 3,
      VOIDED: 3,
      INACTIVE: 3,
    });
    expect(await shown()).toEqual(listed);
    expect(await reportOf(tenantId, campaignId)).toMatchObject({
      batches: {
        byStatus: [
          { status: 'PENDING', count: 1 },
          { status: 'READY', count: 4 },
        ],
        frozen: 1,
        voided: 1,
        awaitingActivation: 1,
      },
    });
    await services.campaignChanges.step(tenantId, campaignId, 'pause');
    expect(await shown()).toEqual(listed);
  });

  it('reads counters, and no code and no redemption', async () => {
    const tenant = await seedTenant(world);
    const { campaignId } = await seedCampaign(world, tenant, 2);
    const sent = await statementsOf(world.stores.orm, async () => reportOf(tenant.tenantId, campaignId));
    expect(sent.length).toBeLessThan(15);
    for (const { query } of sent)
      expect(query).not.toMatch(/from `?(?:code|redemption|order|reward_grant)`?\s/);
  });
});
