import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { CampaignStep } from '../../src/campaigns/campaign-change.service.js';
import type { CampaignStatus } from '../../src/campaigns/campaign.entity.js';
import { openCodesWorld, refusalOf, type CodesWorld } from '../support/codes-world.js';
import { turn, withLagOf } from '../support/lag.js';

let world: CodesWorld;
beforeAll(async () => {
  world = await openCodesWorld(inject('databaseUrl'));
});
afterAll(async () => world?.close());

describe('the life of a campaign', () => {
  const path: Record<CampaignStatus, CampaignStep[]> = {
    DRAFT: [],
    ACTIVE: ['activate'],
    PAUSED: ['activate', 'pause'],
    ENDED: ['activate', 'end'],
  };
  const outcomes: [CampaignStatus, CampaignStep, string][] = [
    ['DRAFT', 'activate', 'ACTIVE'],
    ['DRAFT', 'pause', 'CAMPAIGN_NOT_ACTIVE'],
    ['DRAFT', 'resume', 'CAMPAIGN_NOT_PAUSED'],
    ['DRAFT', 'end', 'CAMPAIGN_NOT_STARTED'],
    ['ACTIVE', 'activate', 'CAMPAIGN_NOT_DRAFT'],
    ['ACTIVE', 'pause', 'PAUSED'],
    ['ACTIVE', 'resume', 'CAMPAIGN_NOT_PAUSED'],
    ['ACTIVE', 'end', 'ENDED'],
    ['PAUSED', 'activate', 'CAMPAIGN_NOT_DRAFT'],
    ['PAUSED', 'pause', 'CAMPAIGN_NOT_ACTIVE'],
    ['PAUSED', 'resume', 'ACTIVE'],
    ['PAUSED', 'end', 'ENDED'],
    ['ENDED', 'activate', 'CAMPAIGN_ENDED'],
    ['ENDED', 'pause', 'CAMPAIGN_ENDED'],
    ['ENDED', 'resume', 'CAMPAIGN_ENDED'],
    ['ENDED', 'end', 'CAMPAIGN_ENDED'],
  ];

  const reached = async (from: CampaignStatus) => {
    const tenantId = await world.addTenant();
    const { id } = await world.addCampaign(tenantId);
    for (const step of path[from]) await world.campaignChanges.step(tenantId, id, step);
    return { tenantId, id, before: await world.state(tenantId) };
  };
  const isRefused = ([, , outcome]: [CampaignStatus, CampaignStep, string]): boolean =>
    outcome.startsWith('CAMPAIGN_');

  it.each(outcomes.filter(isRefused))(
    'from %s: %s is refused with %s, and nothing is written',
    async (from, step, code) => {
      const { tenantId, id, before } = await reached(from);
      expect(await refusalOf(world.campaignChanges.step(tenantId, id, step))).toBe(code);
      expect(await world.state(tenantId)).toEqual(before);
    },
  );

  it.each(outcomes.filter((row) => !isRefused(row)))(
    'from %s: %s leads to %s',
    async (from, step, status) => {
      const { tenantId, id, before } = await reached(from);
      await world.campaignChanges.step(tenantId, id, step);
      const after = await world.state(tenantId);
      const version = (before.campaigns[0]?.version ?? 0) + 1;
      expect(after.campaigns).toMatchObject([{ status, version }]);
      expect(after.events).toHaveLength(before.events.length + 1);
      expect(after.events.at(-1)).toMatchObject({
        type: 'campaign_changed',
        payload: { campaignId: id, status, version },
      });
    },
  );

  it('takes each step once when several callers ask at the same time', async () => {
    const tenantId = await world.addTenant();
    const { id } = await world.addCampaign(tenantId);
    const steps = Array.from({ length: 10 }, async () =>
      world.campaignChanges.step(tenantId, id, 'activate'),
    );
    const settled = await Promise.allSettled(steps);
    expect(settled.filter((step) => step.status === 'fulfilled')).toHaveLength(1);
    expect((await world.state(tenantId)).campaigns[0]).toMatchObject({ status: 'ACTIVE', version: 2 });
  });

  it('is seen at the next look, because it raises the epoch', async () => {
    const tenantId = await world.addTenant();
    const { id } = await world.addCampaign(tenantId);
    expect(await world.campaignReader.find(tenantId, id, 'before')).toMatchObject({ status: 'DRAFT' });
    await world.campaignChanges.step(tenantId, id, 'activate');
    expect(await world.campaignReader.find(tenantId, id, 'after')).toMatchObject({
      status: 'ACTIVE',
      version: 2,
    });
  });

  it('is seen within a second where the epoch could not be raised', async () => {
    const tenantId = await world.addTenant();
    const { id } = await world.addCampaign(tenantId);
    expect(await world.campaignReader.find(tenantId, id, 'same')).toMatchObject({ status: 'DRAFT' });
    await world.campaignChanges.step(tenantId, id, 'activate');
    const statusSeen = async () => (await world.campaignReader.find(tenantId, id, 'same'))?.status;
    const fromMs = performance.now();
    const look = async () => Promise.all([turn(), world.em(tenantId).execute('select 1')]);
    const { lagMs } = await withLagOf([look], async () => expect.poll(statusSeen).toBe('ACTIVE'));
    expect(performance.now() - fromMs).toBeLessThan(1500 + 2 * lagMs);
  });

  it('S4.1 is not open to another tenant', async () => {
    const [one, other] = [await world.addTenant(), await world.addTenant()];
    const { id } = await world.addCampaign(one);
    expect(await refusalOf(world.campaignChanges.step(other, id, 'activate'))).toBe('CAMPAIGN_NOT_FOUND');
    expect(await refusalOf(world.campaignChanges.update(other, id, { name: 'Mine' }))).toBe(
      'CAMPAIGN_NOT_FOUND',
    );
    expect(await world.campaignReader.find(other, id, '')).toBeNull();
    expect(await world.campaignReader.read(other, id)).toBeNull();
    expect((await world.state(one)).campaigns[0]).toMatchObject({
      status: 'DRAFT',
      version: 1,
      name: 'Campaign',
    });
  });
});

describe('changing a campaign', () => {
  const startsAt = new Date(Date.UTC(2030, 0, 1));
  const endsAt = new Date(Date.UTC(2030, 1, 1));

  it('changes what is given and leaves the rest', async () => {
    const tenantId = await world.addTenant();
    const { id } = await world.addCampaign(tenantId, { startsAt, endsAt, userLimitTotal: 3 });
    const input = { name: 'Renamed', endsAt: null, budgetUses: 7, budgetValue: '12.50', userLimitDay: 0 };
    await world.campaignChanges.update(tenantId, id, input);
    const [campaign] = (await world.state(tenantId)).campaigns;
    expect(campaign).toMatchObject({
      name: 'Renamed',
      startsAt,
      endsAt: null,
      userLimitTotal: 3,
      budgetUses: 7,
    });
    expect(campaign).toMatchObject({ version: 2, budgetValue: '12.5000000000', status: 'DRAFT' });
  });

  const bad: [string, Record<string, unknown>, string][] = [
    ['an empty name', { name: '' }, 'NAME_NOT_ALLOWED'],
    [
      'an end before the beginning that stays',
      { endsAt: new Date(Date.UTC(2029, 0, 1)) },
      'WINDOW_NOT_ALLOWED',
    ],
    ['a beginning at the end that stays', { startsAt: endsAt }, 'WINDOW_NOT_ALLOWED'],
    ['a negative limit', { userLimitTotal: -1 }, 'LIMIT_OUT_OF_RANGE'],
    ['a negative budget', { budgetValue: '-1' }, 'BUDGET_OUT_OF_RANGE'],
    ['a rule that is none', { rule: { ruleId: 'r' } }, 'RULE_NOT_ALLOWED'],
    ['another state', { status: 'ENDED' }, 'INPUT_NOT_ALLOWED'],
  ];

  it.each(bad)('is refused with %s, and nothing is written', async (_name, fault, code) => {
    const tenantId = await world.addTenant();
    const { id } = await world.addCampaign(tenantId, { startsAt, endsAt });
    const before = await world.state(tenantId);
    expect(await refusalOf(world.campaignChanges.update(tenantId, id, fault))).toBe(code);
    expect(await world.state(tenantId)).toEqual(before);
  });

  it('is refused once it has ended', async () => {
    const tenantId = await world.addTenant();
    const { id } = await world.addCampaign(tenantId);
    await world.campaignChanges.step(tenantId, id, 'activate');
    await world.campaignChanges.step(tenantId, id, 'end');
    expect(await refusalOf(world.campaignChanges.update(tenantId, id, { name: 'New' }))).toBe(
      'CAMPAIGN_ENDED',
    );
  });

  it('loses no change of many at the same time', async () => {
    const tenantId = await world.addTenant();
    const { id } = await world.addCampaign(tenantId);
    const changes = [
      { name: 'New' },
      { userLimitTotal: 1 },
      { userLimitDay: 2 },
      { budgetUses: 3 },
      { startsAt },
    ];
    await Promise.all(changes.map(async (change) => world.campaignChanges.update(tenantId, id, change)));
    const [campaign] = (await world.state(tenantId)).campaigns;
    expect(campaign).toMatchObject({
      name: 'New',
      userLimitTotal: 1,
      userLimitDay: 2,
      budgetUses: 3,
      startsAt,
    });
    expect(campaign?.version).toBe(6);
  });
});

it('campaigns are listed newest first, by state, with the exact total', async () => {
  const tenantId = await world.addTenant();
  const ids: string[] = [];
  for (let index = 0; index < 5; index += 1) ids.push((await world.addCampaign(tenantId)).id);
  await world.campaignChanges.step(tenantId, ids[1] ?? '', 'activate');
  const page = await world.campaignReader.page(tenantId, {}, { offset: 1, size: 2 });
  expect([page.total, page.items.map((item) => item.id)]).toEqual([5, [ids[3], ids[2]]]);
  const active = await world.campaignReader.page(tenantId, { status: 'ACTIVE' }, { offset: 0, size: 15 });
  expect([active.total, active.items.map((item) => item.id)]).toEqual([1, [ids[1]]]);
});
