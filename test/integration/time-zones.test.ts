import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Campaign } from '../../src/campaigns/campaign.entity.js';
import { peekUsage } from '../../src/campaigns/campaign-usage.service.js';
import { sqlInstant } from '../../src/platform/database/sql-values.js';
import { Money } from '../../src/platform/decimal.js';
import { dayOf, startOfDay } from '../../src/platform/zoned-time.js';
import { CampaignUsage } from '../../src/campaigns/campaign-usage.entity.js';
import { Redemption } from '../../src/redemption/history/redemption.entity.js';
import { driftsAtRest } from '../support/reversals.js';
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
import { withinOne } from '../support/periods.js';

let world: World;
let other: World;
beforeAll(async () => {
  [world, other] = [await openWorld(), await openWorld()];
});
afterAll(async () => Promise.all([world?.close(), other?.close()]));

const FAR_EAST = 'Pacific/Kiritimati';

async function seeded(userLimitDay: number, count: number, timeZone = 'UTC') {
  const tenant = await seedTenant(world);
  const { tenantId } = tenant;
  if (timeZone !== 'UTC') await world.services.tenantChanges.update(tenantId, { timeZone });
  const rule = { rewardRules: [{ type: 'POINTS', amount: '1' }] };
  const { codes, campaignId } = await seedCampaign(world, tenant, count, {
    rule,
    campaign: { userLimitDay },
  });
  return { tenantId, codes, campaignId, userId: await seedUser(world, tenantId) };
}

/** Days of all zones begin at a multiple of this. */
const ZONES_DIFFER_BY_MS = 15 * 60_000;

/** Moves the only redemption of a user to another instant, with what counts it. */
async function moveTo(tenantId: string, ms: number): Promise<void> {
  const em = emOf(world, tenantId);
  await em.execute('update redemption set claimed_at = ? where tenant_id = ?', [sqlInstant(ms), tenantId]);
  await em.execute('update redemption_total set day = ? where tenant_id = ?', [dayOf(ms, 'UTC'), tenantId]);
}

describe("a limit of a day in the tenant's time zone", () => {
  it.each([
    ['the day before', -1, ['COMMITTED', 'USER_LIMIT_REACHED']],
    ['the same day', 0, ['USER_LIMIT_REACHED', 'USER_LIMIT_REACHED']],
  ])(
    'counts a redemption of %s by the new days as soon as the zone is changed',
    async (_of, plusMs, outcomes) => {
      await withinOne(ZONES_DIFFER_BY_MS, 20_000);
      const { tenantId, codes, userId, campaignId } = await seeded(1, 3);
      const at = async (index: number) =>
        outcomeOf(await redeem(world, tenantId, userId, codes[index] ?? ''));
      expect(await at(0)).toBe('COMMITTED');
      expect(await at(1)).toBe('USER_LIMIT_REACHED');
      const today = dayOf(world.services.clock.nowMs(), FAR_EAST);
      await moveTo(tenantId, startOfDay(today, FAR_EAST) + plusMs);
      const before = await world.services.campaignReader.read(tenantId, campaignId);
      const changed = await world.services.tenantChanges.update(tenantId, { timeZone: FAR_EAST });
      expect(changed.timeZone).toBe(FAR_EAST);
      const campaign = await world.services.campaignReader.read(tenantId, campaignId);
      expect(campaign).toMatchObject({ timeZone: FAR_EAST, version: (before?.version ?? 0) + 1 });
      expect([await at(1), await at(2)]).toEqual(outcomes);
      const counters = await emOf(world, tenantId).find(CampaignUsage, {}, { disableIdentityMap: true });
      expect(counters.map(({ day, uses }) => [day, uses])).toEqual([[today, 1]]);
      expect(await driftsAtRest(world, tenantId)).toEqual({});
    },
  );

  it('is exact while the zone changes under 24 redemptions of one user over two processes', async () => {
    await withinOne(ZONES_DIFFER_BY_MS, 20_000);
    const { tenantId, codes, userId } = await seeded(3, 24);
    const zones = [FAR_EAST, 'Pacific/Pago_Pago', 'Australia/Lord_Howe', 'UTC', 'Europe/Berlin'];
    const changes = (async () => {
      for (const timeZone of zones) await other.services.tenantChanges.update(tenantId, { timeZone });
    })();
    const answers = await Promise.all(
      codes.map(async (code, at) => redeem(at % 2 === 0 ? world : other, tenantId, userId, code)),
    );
    await changes;
    expect(tally(answers)).toEqual({ COMMITTED: 3, USER_LIMIT_REACHED: 21 });
    expect(await emOf(world, tenantId).count(Redemption, { status: 'COMMITTED' })).toBe(3);
    expect(await driftsAtRest(world, tenantId)).toEqual({});
  });

  it.each([
    ['Europe/Berlin', '2026-10-24T22:00:00Z', '2026-10-25T22:59:59.999Z'],
    ['Europe/Berlin', '2026-03-28T23:00:00Z', '2026-03-29T21:59:59.999Z'],
    ['Australia/Lord_Howe', '2026-04-04T13:00:00Z', '2026-04-05T13:29:59.999Z'],
    ['America/Santiago', '2026-09-06T04:00:00Z', '2026-09-07T02:59:59.999Z'],
    ['Pacific/Pago_Pago', '2026-06-01T11:00:00Z', '2026-06-02T10:59:59.999Z'],
  ])('of %s counts from %s to %s', async (timeZone, first, last) => {
    const { tenantId, codes, userId, campaignId } = await seeded(1, 1, timeZone);
    expect(outcomeOf(await redeem(world, tenantId, userId, codes[0] ?? ''))).toBe('COMMITTED');
    const em = emOf(world, tenantId);
    const campaign = await em.findOneOrFail(Campaign, { id: campaignId }, { disableIdentityMap: true });
    const isReachedAt = async (redeemedMs: number, atMs: number): Promise<boolean> => {
      await moveTo(tenantId, redeemedMs);
      await em.nativeDelete(CampaignUsage, {});
      const wanted = { campaign, userId, atMs, value: new Money(0) };
      return (await peekUsage(em, tenantId, [wanted])).reached(wanted, ['USER_DAY']) === 'USER_DAY';
    };
    const [from, until] = [Date.parse(first), Date.parse(last)];
    expect(await isReachedAt(from, until)).toBe(true);
    expect(await isReachedAt(until, from)).toBe(true);
    expect(await isReachedAt(from - 1, from)).toBe(false);
    expect(await isReachedAt(until, until + 1)).toBe(false);
  });
});

describe('a campaign', () => {
  const rule = { ruleId: 'r', codeType: 'ALPHANUM' as const };

  it('is open on whole days of the tenant, and keeps its instants when the zone changes', async () => {
    const { tenantId } = await seedTenant(world);
    await world.services.tenantChanges.update(tenantId, { timeZone: 'Europe/Berlin' });
    const days = { startsOn: '2026-03-29', lastDay: '2026-03-29' };
    const { campaign } = await world.services.campaigns.create(tenantId, { name: 'C', rule, ...days });
    const window = { startsAt: new Date('2026-03-28T23:00:00Z'), endsAt: new Date('2026-03-29T22:00:00Z') };
    expect(campaign).toMatchObject({ ...window, timeZone: 'Europe/Berlin' });
    await world.services.tenantChanges.update(tenantId, { timeZone: 'UTC' });
    const change = async (input: object) =>
      world.services.campaignChanges.update(tenantId, campaign.id, input);
    expect(await change({ name: 'D' })).toMatchObject({ ...window, timeZone: 'UTC' });
    const moved = await change({ lastDay: '2026-04-01' });
    expect(moved).toMatchObject({ startsAt: window.startsAt, endsAt: new Date('2026-04-02T00:00:00Z') });
    for (const input of [
      { lastDay: '2026-03-27' },
      { lastDay: '2026-02-30' },
      { startsOn: '2026-04-01', startsAt: new Date('2026-04-01T00:00:00Z') },
    ])
      await expect(change(input)).rejects.toMatchObject({ code: 'WINDOW_NOT_ALLOWED' });
  });

  it('that is made while the zone changes has the zone of its tenant', async () => {
    const { tenantId } = await seedTenant(world);
    const makes = Array.from({ length: 12 }, async (_, at) =>
      (at % 2 === 0 ? world : other).services.campaigns.create(tenantId, { name: `C${at}`, rule }),
    );
    const change = other.services.tenantChanges.update(tenantId, { timeZone: FAR_EAST });
    await Promise.all([...makes, change]);
    const em = emOf(world, tenantId);
    expect(await em.count(Campaign, { timeZone: FAR_EAST })).toBe(12);
  });

  it('is refused with a zone that is none, and nothing is changed', async () => {
    const { tenantId } = await seedTenant(world);
    for (const timeZone of ['Berlin', '+01:00', 'Europe/Nowhere'])
      await expect(world.services.tenantChanges.update(tenantId, { timeZone })).rejects.toMatchObject({
        code: 'TIME_ZONE_UNKNOWN',
        details: { field: ['input', 'timeZone'] },
      });
    expect(await world.services.tenants.find(tenantId)).toMatchObject({ timeZone: 'UTC', version: 1 });
  });
});
