import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { CodeBatch } from '../../src/codes/code-batch.entity.js';
import type { RewardFilter } from '../../src/campaigns/campaign-rewards.service.js';
import { SHOWN_CODE_STATUSES, type CodeFilter } from '../../src/codes/code-filter.js';
import { Code } from '../../src/codes/code.entity.js';
import { EFFECTIVE_STATUSES } from '../../src/codes/effective-status.js';
import { Order } from '../../src/orders/orders/order.entity.js';
import { firstIdAt } from '../../src/platform/ids.js';
import type { RedemptionListFilter } from '../../src/redemption/history/redemption-ways.js';
import { Redemption } from '../../src/redemption/history/redemption.entity.js';
import type { PartnerActor, PersonActor } from '../../src/graphql/actor.js';
import { listRedemptions, type WantedRedemptions } from '../../src/redemption/history/redemption-queries.js';
import { emOf, openWorld, redeem, seedCampaign, seedTenant, seedUser, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => world?.close());

const ALL = { offset: 0, size: 500 };
const HOUR_MS = 3_600_000;

/** Two campaigns: one gives a month of the first plan, one three days of another. */
async function seeded(count = 3) {
  const tenant = await seedTenant(world);
  const { tenantId, planId } = tenant;
  const yearly = { name: 'Yearly', unitPrice: '1', unitTime: 'YEAR' };
  const { id: otherPlan } = await world.services.plans.create(tenantId, yearly);
  const monthly = await seedCampaign(world, tenant, count);
  const rewardRules = [{ type: 'SUBSCRIPTION', id: otherPlan, unit: 'DAY', quantity: 3 }];
  const daily = await seedCampaign(world, tenant, count, { rule: { rewardRules } });
  const codes = async (filter: CodeFilter) => {
    const { total, items } = await world.services.codeReader.page(tenantId, filter, ALL);
    expect([filter, total]).toEqual([filter, items.length]);
    return items.map(({ codeText }) => codeText);
  };
  const staff: PersonActor = { kind: 'STAFF', tenantId, staffId: 's', role: 'AUDITOR' };
  const records = async (wanted: WantedRedemptions, actor: PartnerActor | PersonActor = staff) => {
    const { redemptionReader: reader, users, codeReader, campaignRewards: rewards } = world.services;
    const lists = { reader, users, codes: codeReader, rewards };
    const { total, items } = await listRedemptions(lists, actor, wanted, ALL);
    expect(items).toHaveLength(total);
    return items.map(({ id }) => id);
  };
  /** Compares, for each state, the total with the codes that are listed. */
  const expectTotals = async (narrowed: CodeFilter = {}) => {
    const filters: CodeFilter[] = [
      {},
      ...SHOWN_CODE_STATUSES.map((status) => ({ status })),
      ...EFFECTIVE_STATUSES.map((status) => ({ effectiveStatus: [status] })),
      { effectiveStatus: EFFECTIVE_STATUSES },
      { campaignId: monthly.campaignId },
      { issuedBefore: new Date(world.services.clock.nowMs()), unit: 'DAY' },
    ];
    for (const filter of filters) await codes({ ...filter, ...narrowed });
    expect((await codes({ effectiveStatus: EFFECTIVE_STATUSES })).length).toBe((await codes({})).length);
  };
  const spend = async (code: string | undefined, userId: string) => {
    const answer = await redeem(world, tenantId, userId, code ?? '');
    return answer.redemption?.id ?? '';
  };
  return { tenantId, planId, otherPlan, monthly, daily, codes, records, spend, expectTotals };
}

const newestFirst = (codes: readonly string[]) => codes.toReversed();

describe('S0.18 codes are listed', () => {
  it('by plan and by unit, whether the rule or the plan names it', async () => {
    const { planId, otherPlan, monthly, daily, codes } = await seeded();
    expect(await codes({ planId })).toEqual(newestFirst(monthly.codes));
    expect(await codes({ planId: otherPlan })).toEqual(newestFirst(daily.codes));
    expect(await codes({ unit: 'MONTH' })).toEqual(newestFirst(monthly.codes));
    expect(await codes({ unit: 'DAY' })).toEqual(newestFirst(daily.codes));
    expect(await codes({ unit: 'YEAR' })).toEqual([]);
    expect(await codes({ planId, unit: 'DAY' })).toEqual([]);
    expect(await codes({ planId, campaignId: daily.campaignId })).toEqual([]);
    expect(await codes({ planId: '1' })).toEqual([]);
    expect(await codes({ planId: "1' or 1=1" })).toEqual([]);
  });

  it('by the user who alone may redeem them, and by the time of their issue, half-open', async () => {
    const { tenantId, monthly, codes } = await seeded();
    const em = emOf(world, tenantId);
    const [first = '', second = ''] = monthly.codes;
    await em.nativeUpdate(Code, { codeText: first }, { assignedUserId: '7', status: 'DISABLED' });
    await em.nativeUpdate(Code, { codeText: second }, { assignedUserId: '8' });
    await world.services.codeTotals.recount(tenantId);
    expect(await codes({ assignedUserId: '7' })).toEqual([first]);
    expect(await codes({ assignedUserId: '7', effectiveStatus: ['ASSIGNED'] })).toEqual([]);
    expect(await codes({ assignedUserId: '8', effectiveStatus: ['ASSIGNED'] })).toEqual([second]);
    expect(await codes({ assignedUserId: '8', part: second.slice(0, 5) })).toEqual([second]);
    expect(await codes({ assignedUserId: 'x' })).toEqual([]);
    const [row] = await em.find(Code, { codeText: first }, { disableIdentityMap: true });
    const issued = row?.issuedAt ?? new Date(0);
    const after = new Date(issued.getTime() + 1);
    expect(await codes({ campaignId: monthly.campaignId, issuedFrom: issued, issuedBefore: after })).toEqual(
      newestFirst(monthly.codes),
    );
    expect(await codes({ campaignId: monthly.campaignId, issuedFrom: after })).toEqual([]);
    expect(await codes({ campaignId: monthly.campaignId, issuedBefore: issued })).toEqual([]);
  });

  it('row after row: what arrives meanwhile is neither repeated nor in the way, and nothing is left out', async () => {
    const { tenantId, monthly, codes } = await seeded(7);
    const before = await codes({});
    const seen: (string | null | undefined)[] = [];
    for (let afterId: string | null | undefined; afterId !== null;) {
      const range = { offset: 0, size: 4, afterId: afterId ?? null, isCounted: false };
      const page = await world.services.codeReader.page(tenantId, {}, range);
      seen.push(...page.items.map(({ codeText }) => codeText));
      await world.services.generation.generate(tenantId, { campaignId: monthly.campaignId, count: 3 });
      afterId = page.next;
    }
    expect(seen).toEqual(before);
  });

  it('oldest first, row after row, and with a filter, too', async () => {
    const { tenantId, monthly, daily } = await seeded(4);
    const walk = async (filter: CodeFilter): Promise<(string | null | undefined)[]> => {
      const seen: (string | null | undefined)[] = [];
      for (let afterId: string | null = null; ;) {
        const range = { offset: 0, size: 3, afterId, isOldestFirst: true };
        const { items, next } = await world.services.codeReader.page(tenantId, filter, range);
        seen.push(...items.map(({ codeText }) => codeText));
        if (next === null) return seen;
        afterId = next;
      }
    };
    expect(await walk({})).toEqual([...monthly.codes, ...daily.codes]);
    expect(await walk({ effectiveStatus: ['ACTIVE'], planId: '1' })).toEqual([]);
    expect(await walk({ effectiveStatus: ['ACTIVE'], unit: 'DAY' })).toEqual(daily.codes);
  });

  it('with a total that no race, change, freeze or lapse of time makes inexact', async () => {
    const { tenantId, planId, monthly, daily, spend, expectTotals } = await seeded(9);
    const { codeChanges, batchChanges } = world.services;
    const em = emOf(world, tenantId);
    const rows = await em.find(Code, { campaignId: monthly.campaignId }, { orderBy: { id: 'asc' } });
    const id = (at: number): string => rows[at]?.id ?? '';
    const ended = new Date(world.services.clock.nowMs() + 60_000);
    const outcomes = await Promise.allSettled([
      ...[0, 1, 2, 3].flatMap((at) => [
        codeChanges.delete(tenantId, [id(at)]),
        codeChanges.delete(tenantId, [id(at), id(8)]),
        codeChanges.setEnabled(tenantId, id(at), false),
      ]),
      ...[4, 5, 6, 7].map(async (at) =>
        codeChanges.update(tenantId, id(at), { useLimit: 2, expiresAt: ended }),
      ),
      ...[4, 5, 6, 7].map(async (at) => spend(monthly.codes[at], await seedUser(world, tenantId))),
      ...daily.codes.slice(0, 5).map(async (code) => spend(code, await seedUser(world, tenantId))),
    ]);
    expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(13);
    await expectTotals();
    await codeChanges.update(tenantId, id(4), { useLimit: 1 });
    await codeChanges.update(tenantId, id(5), { expiresAt: new Date(0) });
    await expectTotals();
    const [batch] = await em.find(CodeBatch, { campaignId: daily.campaignId });
    await batchChanges.freeze(tenantId, batch?.id ?? '');
    await expectTotals({ planId });
    await batchChanges.unfreeze(tenantId, batch?.id ?? '');
    await expectTotals();
  });

  it('with a total that looks at no code: ten million that only the totals know cost nothing', async () => {
    const { tenantId, monthly } = await seeded(3);
    const { codeReader, codeTotals } = world.services;
    const em = emOf(world, tenantId);
    const page = async (filter: CodeFilter) => codeReader.page(tenantId, filter, { offset: 0, size: 1 });
    const { campaignId } = monthly;
    await em.execute('update code_total set total = 10000000 where tenant_id = ? and campaign_id = ?', [
      tenantId,
      campaignId,
    ]);
    const [{ batchId } = { batchId: '' }] = await em.find(Code, { campaignId }, { limit: 1 });
    for (const filter of [
      { campaignId },
      { batchId },
      { campaignId, unit: 'MONTH' },
      { campaignId, status: 'ACTIVE' },
    ] as const)
      expect([filter, (await page(filter)).total]).toEqual([filter, 10_000_000]);
    expect((await page({ effectiveStatus: ['ACTIVE'] })).total).toBe(10_000_003);
    expect((await page({ effectiveStatus: ['USED_UP', 'EXPIRED'] })).total).toBe(0);
    await codeTotals.recount(tenantId);
    expect((await page({})).total).toBe(6);
  });
});

describe('S0.18 codes that are switched off', () => {
  it.each(['INACTIVE', 'DISABLED'] as const)('are found by the index of states: %s', async (status) => {
    const { tenantId, monthly, daily, codes } = await seeded();
    const [off = ''] = monthly.codes;
    await emOf(world, tenantId).nativeUpdate(Code, { codeText: off }, { status });
    await world.services.codeTotals.recount(tenantId);
    const found = await world.services.codeReader.find(tenantId, { status });
    expect(found?.sql).toContain('force index (ix_code__state)');
    expect(await codes({ status })).toEqual([off]);
    expect(await codes({ status, campaignId: monthly.campaignId, unit: 'MONTH' })).toEqual([off]);
    expect(await codes({ status, effectiveStatus: [status] })).toEqual([off]);
    expect(await codes({ status, campaignId: daily.campaignId })).toEqual([]);
  });
});

describe('S0.18 times of a filter', () => {
  it('that no column holds are before all rows or behind all rows', async () => {
    const { tenantId, monthly, codes, records, spend } = await seeded();
    const id = await spend(monthly.codes[0], await seedUser(world, tenantId));
    const [early, late] = [new Date('0000-01-01T00:00:00+14:00'), new Date('9999-12-31T23:59:59-12:00')];
    expect(await records({ from: early, before: late })).toEqual([id]);
    expect(await records({ from: late })).toEqual([]);
    expect(await records({ before: early })).toEqual([]);
    expect(await codes({ issuedFrom: early, issuedBefore: late })).toHaveLength(6);
    expect(await codes({ issuedFrom: late })).toEqual([]);
    expect(await codes({ issuedBefore: early })).toEqual([]);
  });
});

describe('S0.18 totals', () => {
  it('are exact after recounts that were asked for at once', async () => {
    const { tenantId, monthly, codes, records, spend } = await seeded();
    const id = await spend(monthly.codes[0], await seedUser(world, tenantId));
    const em = emOf(world, tenantId);
    for (const table of ['code_total', 'redemption_total'])
      await em.execute(`delete from ${table} where tenant_id = ?`, [tenantId]);
    const { codeTotals, redemptionTotals } = world.services;
    const both = [codeTotals, redemptionTotals];
    await Promise.all([...both, ...both, ...both].map(async (totals) => totals.recount(tenantId)));
    expect(await codes({})).toHaveLength(6);
    // Behind the first page, where the total does not follow from the rows.
    const range = { offset: 1, size: 1 };
    expect((await world.services.redemptionReader.page(tenantId, {}, range)).total).toBe(1);
    expect(await records({})).toEqual([id]);
  });
});

describe('S0.18 redemptions are listed', () => {
  it('by plan, unit, campaign, batch, user, code, part of the code, status and time', async () => {
    const { tenantId, planId, otherPlan, monthly, daily, records, spend } = await seeded();
    const [one, two] = [await seedUser(world, tenantId), await seedUser(world, tenantId)];
    const month = await spend(monthly.codes[0], one);
    const between = new Date(world.services.clock.nowMs() + 1);
    while (world.services.clock.nowMs() <= between.getTime()) await Promise.resolve();
    const day = await spend(daily.codes[0], two);
    expect(await records({})).toEqual([day, month]);
    expect(await records({ planId })).toEqual([month]);
    expect(await records({ planId: otherPlan })).toEqual([day]);
    expect(await records({ unit: 'MONTH' })).toEqual([month]);
    expect(await records({ unit: 'DAY', planId: otherPlan })).toEqual([day]);
    expect(await records({ unit: 'YEAR' })).toEqual([]);
    expect(await records({ campaignId: daily.campaignId })).toEqual([day]);
    expect(await records({ userId: one })).toEqual([month]);
    const [code] = await emOf(world, tenantId).find(Code, { codeText: daily.codes[0] ?? '' });
    expect(await records({ codeId: code?.id ?? '' })).toEqual([day]);
    expect(await records({ batchId: code?.batchId ?? '' })).toEqual([day]);
    expect(await records({ part: monthly.codes[0]?.slice(2, 9) ?? '' })).toEqual([month]);
    expect(await records({ part: monthly.codes[1]?.slice(2, 9) ?? '' })).toEqual([]);
    for (const part of ['%', '_', "' or 1=1 -- "]) expect(await records({ part })).toEqual([]);
    expect(await records({ status: 'COMMITTED' })).toEqual([day, month]);
    expect(await records({ status: 'REVERSED' })).toEqual([]);
    expect(await records({ before: between })).toEqual([month]);
    expect(await records({ from: between })).toEqual([day]);
    expect(await records({ batchId: 'x' })).toEqual([]);
    const own = { kind: 'USER', tenantId, userId: one } as const;
    expect(await records({ userId: two }, own)).toEqual([month]);
    expect(await records({ part: daily.codes[0] ?? '' }, own)).toEqual([month]);
  });

  it('by product line, number of the order, and what partners may read', async () => {
    const { tenantId, monthly, daily, records, spend } = await seeded();
    const [one, two] = [await seedUser(world, tenantId), await seedUser(world, tenantId)];
    const month = await spend(monthly.codes[0], one);
    const day = await spend(daily.codes[0], two);
    const [monthlyCode = '', dailyCode = ''] = [monthly.codes[0], daily.codes[0]];
    const { id: codeId } = await emOf(world, tenantId).findOneOrFail(Code, { codeText: dailyCode });
    expect(await records({ productCode: 'DEMO' })).toEqual([day, month]);
    expect(await records({ productCode: 'APP_A' })).toEqual([]);
    expect(await records({ orderNo: day })).toEqual([day]);
    expect(await records({ orderNo: day, userId: one })).toEqual([]);
    expect(await records({ orderNo: day, part: dailyCode })).toEqual([day]);
    expect(await records({ codeId, part: dailyCode })).toEqual([day]);
    expect(await records({ codeId, part: monthlyCode })).toEqual([]);
    const line: PartnerActor = {
      kind: 'PARTNER',
      tenantId,
      partnerId: '1',
      keyId: '1',
      scopes: ['redemptions:read'],
      productCodes: ['DEMO'],
    };
    expect(await records({}, line)).toEqual([day, month]);
    expect(await records({ productCode: 'APP_A' }, line)).toEqual([]);
  });

  it('with a total by counters, exact after a race and for each filter, days and their edges among them', async () => {
    const { tenantId, planId, otherPlan, monthly, daily, spend } = await seeded(8);
    const { redemptionReader, redemptionTotals } = world.services;
    const users = await Promise.all(
      [...monthly.codes, ...daily.codes].map(async () => seedUser(world, tenantId)),
    );
    await Promise.all(
      [...monthly.codes, ...daily.codes.slice(0, 5)].map(async (code, at) => spend(code, users[at] ?? '')),
    );
    const em = emOf(world, tenantId);
    const rows = await em.find(Redemption, {}, { orderBy: { id: 'asc' } });
    expect(rows).toHaveLength(13);
    const [{ codeId, batchId } = { codeId: '', batchId: '' }] = rows;
    const noon = Date.UTC(2026, 0, 10, 12);
    for (const [at, row] of rows.entries()) {
      const claimedMs = noon + at * 6 * HOUR_MS;
      const id = String(BigInt(firstIdAt(claimedMs)) + BigInt(at));
      await em.execute(
        'update reward_grant set redemption_id = ? where tenant_id = ? and redemption_id = ?',
        [id, tenantId, row.id],
      );
      const status = at === 12 ? 'REVERSED' : 'COMMITTED';
      await em.nativeUpdate(Redemption, { id: row.id }, { id, status, claimedAt: new Date(claimedMs) });
      const ofOrder = at === 12 ? 'REFUNDED' : 'FINISHED';
      await em.nativeUpdate(Order, { id: row.id }, { id, status: ofOrder, createdAt: new Date(claimedMs) });
    }
    await redemptionTotals.recount(tenantId);
    const placesOf = async (filter: RewardFilter) =>
      (await world.services.campaignRewards.places(tenantId, filter)) ?? [];
    const [ofPlan, ofOther] = [await placesOf({ planId }), await placesOf({ planId: otherPlan })];
    const times = [0, 5, 12, 13, 30, 48, 100].map((hours) => new Date(noon + hours * HOUR_MS));
    const filters: RedemptionListFilter[] = [
      {},
      { campaignId: monthly.campaignId },
      { batchId },
      { codeId },
      { codeId, status: 'REVERSED' },
      { status: 'COMMITTED' },
      { status: 'REVERSED' },
      { places: ofPlan },
      { places: ofOther, status: 'COMMITTED' },
      { places: [...ofPlan, ...ofOther] },
      { userId: users[0] ?? '' },
      { id: rows[0]?.id ?? '' },
      { productCodes: ['DEMO'] },
      { productCodes: ['DEMO', 'APP_A'], status: 'REVERSED' },
      { productCodes: ['DEMO', 'APP_A'], campaignId: monthly.campaignId },
      ...times.flatMap((from) => times.map((before) => ({ from, before }))),
      ...times.flatMap((time) => [{ from: time }, { before: time, places: ofPlan }]),
    ];
    const page = async (filter: RedemptionListFilter, size: number) =>
      redemptionReader.page(tenantId, filter, { offset: 0, size });
    for (const filter of filters) {
      const { items } = await page(filter, 500);
      expect([filter, (await page(filter, 1)).total]).toEqual([filter, items.length]);
    }
    expect((await page({ from: times[0], before: times[5] } as RedemptionListFilter, 1)).total).toBe(8);
  });

  it('with a total that looks at no redemption, but at the parts of days', async () => {
    const { tenantId, planId, monthly, spend } = await seeded(3);
    for (const code of monthly.codes) await spend(code, await seedUser(world, tenantId));
    const { redemptionReader, campaignRewards } = world.services;
    await emOf(world, tenantId).execute('update redemption_total set total = 10000000 where tenant_id = ?', [
      tenantId,
    ]);
    const places = (await campaignRewards.places(tenantId, { planId })) ?? [];
    const from = new Date(world.services.clock.nowMs() - 3 * 24 * HOUR_MS);
    const { campaignId } = monthly;
    for (const filter of [{}, { campaignId }, { places }, { status: 'COMMITTED' }, { from }] as const)
      expect([filter, (await redemptionReader.page(tenantId, filter, { offset: 0, size: 1 })).total]).toEqual(
        [filter, 10_000_000],
      );
  });

  it('of a batch by the index of its campaign', async () => {
    const { tenantId, monthly, daily, records, spend } = await seeded();
    const id = await spend(monthly.codes[0], await seedUser(world, tenantId));
    const { campaignId } = monthly;
    const { id: batchId } = await emOf(world, tenantId).findOneOrFail(CodeBatch, { campaignId });
    const spy = vi.spyOn(world.stores.readOrm.em.getConnection(), 'execute');
    expect(await records({ batchId })).toEqual([id]);
    const statements = spy.mock.calls.flat().filter((text) => String(text).includes('from `redemption` r '));
    spy.mockRestore();
    expect(statements).toEqual([expect.stringContaining('r.campaign_id = ')]);
    expect(await records({ batchId, campaignId: daily.campaignId })).toEqual([]);
    expect(await records({ batchId: '1' })).toEqual([]);
  });

  it('row after row, while others are redeemed, each once and none left out', async () => {
    const { tenantId, monthly, daily, records, spend } = await seeded(6);
    for (const code of monthly.codes) await spend(code, await seedUser(world, tenantId));
    const before = await records({});
    const late = [...daily.codes];
    const seen: string[] = [];
    for (let afterId: string | null | undefined; afterId !== null;) {
      const range = { offset: 0, size: 2, afterId: afterId ?? null, isCounted: false };
      const page = await world.services.redemptionReader.page(tenantId, {}, range);
      seen.push(...page.items.map(({ id }) => id));
      await spend(late.pop(), await seedUser(world, tenantId));
      afterId = page.next;
    }
    expect(seen).toEqual(before);
  });
});
