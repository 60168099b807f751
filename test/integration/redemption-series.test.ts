import { afterEach, describe, expect, it, vi } from 'vitest';
import { createLog } from '../../src/platform/observability/log.js';
import type { EventConsumer } from '../../src/platform/outbox/event-consumers.js';
import { EventLog } from '../../src/platform/outbox/event-log.js';
import { OutboxEvent } from '../../src/platform/outbox/outbox.entity.js';
import type { PublishedEvent } from '../../src/platform/outbox/published-event.js';
import { present } from '../../src/platform/assert.js';
import { Redemption } from '../../src/redemption/history/redemption.entity.js';
import { failAt, loseNextCommit } from '../support/failing-statements.js';
import { openBeforeAll } from '../support/open-before-all.js';
import { ProductApi, staffOf } from '../support/product-api.js';
import { createScratchDatabase } from '../support/scratch-database.js';
import { seriesSums } from '../support/truth.js';
import { leasedConsumers } from '../support/leased-consumers.js';
import {
  emOf,
  openWorld,
  redeem,
  seedCampaign,
  seedTenant,
  seedUser,
  seedUsers,
  type SeededTenant,
  type World,
} from '../support/world.js';

let world: World;
/** Another process. */
let other: World;
let api: ProductApi;
openBeforeAll(async (closing) => {
  const database = await closing(createScratchDatabase());
  world = await closing(openWorld({}, database));
  other = await closing(openWorld({}, database));
  api = new ProductApi(world);
});
afterEach(() => vi.restoreAllMocks());

const seriesConsumer = (of: World): EventConsumer =>
  present(
    of.services.consumers.find(({ name }) => name === 'redemption_series'),
    'The consumer',
  );

/** Every event of the tenant that the series counts. */
async function eventsOf(tenantId: string): Promise<PublishedEvent[]> {
  const { types } = seriesConsumer(world);
  return new EventLog(world.stores.orm, 5000).next(tenantId, types, 0, 1_000_000, 10_000);
}

async function countAll(tenantId: string, of = world): Promise<void> {
  await seriesConsumer(of).handle(tenantId, await eventsOf(tenantId));
}

async function rowSums(tenantId: string): Promise<Record<string, number>> {
  const rows = await emOf(world, tenantId).find(Redemption, { status: { $ne: 'ABORTED' } });
  return { COMMITTED: rows.length, REVERSED: rows.filter(({ status }) => status === 'REVERSED').length };
}

const SERIES = `query ($from: DateTime!, $to: DateTime, $step: SeriesStep!, $campaignId: ID, $productCode: String) {
  redemptionSeries(from: $from, to: $to, step: $step, campaignId: $campaignId, productCode: $productCode) {
    step startsAt committed reversed refused refusals { refusal counts total } isCounted } }`;

interface Shown {
  readonly startsAt: string[];
  readonly committed: number[];
  readonly reversed: number[];
  readonly refused: number[];
  readonly refusals: { refusal: string; counts: number[]; total: number }[];
  readonly isCounted: boolean;
}

async function seriesOf(tenantId: string, variables: Record<string, unknown>): Promise<Shown> {
  const { data, errors } = await api.ask(staffOf(tenantId, 'AUDITOR'), SERIES, variables);
  expect(errors).toEqual([]);
  return data['redemptionSeries'] as unknown as Shown;
}

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Moves a redemption to another time, as if it had been made then. */
async function move(
  tenantId: string,
  id: string,
  column: 'claimed_at' | 'reversed_at',
  at: Date,
): Promise<void> {
  await emOf(world, tenantId).execute(`update redemption set ${column} = ? where tenant_id = ? and id = ?`, [
    at,
    tenantId,
    id,
  ]);
}

async function redeemed(tenant: SeededTenant, code: string, productCode = 'DEMO'): Promise<string> {
  const userId = await seedUser(world, tenant.tenantId);
  const { redemption } = await redeem(world, tenant.tenantId, userId, code, { productCode });
  return present(redemption, 'The redemption').id;
}

describe('the series of redemptions', () => {
  it('counts redemptions by their claims and reversals by their own instants', async () => {
    const tenant = await seedTenant(world);
    const { tenantId } = tenant;
    const [a, b] = [await seedCampaign(world, tenant, 3), await seedCampaign(world, tenant, 2)];
    const ids = [
      await redeemed(tenant, a.codes[0] ?? ''),
      await redeemed(tenant, a.codes[1] ?? '', 'APP_A'),
      await redeemed(tenant, a.codes[2] ?? ''),
      await redeemed(tenant, b.codes[0] ?? ''),
    ];
    const now = new Date();
    const today = Math.floor(now.getTime() / DAY_MS) * DAY_MS;
    await move(tenantId, ids[0] ?? '', 'claimed_at', new Date(today - DAY_MS + 59 * 60_000));
    await move(tenantId, ids[1] ?? '', 'claimed_at', new Date(today - DAY_MS + 2 * HOUR_MS));
    await move(tenantId, ids[2] ?? '', 'claimed_at', new Date(today - 1));
    await move(tenantId, ids[3] ?? '', 'claimed_at', new Date(today));
    await world.services.reversals.reverse(tenantId, 'eve', { redemptionId: ids[0], reason: 'A test' });
    await move(tenantId, ids[0] ?? '', 'reversed_at', new Date(today));
    await countAll(tenantId);

    const span = { from: new Date(today - DAY_MS + 1000), to: new Date(today + 1) };
    const days = await seriesOf(tenantId, { ...span, step: 'DAY' });
    expect(days).toMatchObject({
      startsAt: [new Date(today - DAY_MS).toISOString(), new Date(today).toISOString()],
      committed: [3, 1],
      reversed: [0, 1],
      refused: [0, 0],
      refusals: [],
      isCounted: true,
    });
    const hours = await seriesOf(tenantId, { ...span, step: 'HOUR', campaignId: a.campaignId });
    expect(hours.startsAt).toHaveLength(25);
    expect([hours.committed[0], hours.committed[2], hours.committed[23], sum(hours.committed)]).toEqual([
      1, 1, 1, 3,
    ]);
    expect(hours.reversed[24]).toBe(1);
    const minutes = await seriesOf(tenantId, { ...span, step: 'MINUTE', productCode: 'APP_A' });
    expect(minutes.startsAt).toHaveLength(1441);
    expect([minutes.committed[120], sum(minutes.committed)]).toEqual([1, 1]);
    const both = { campaignId: b.campaignId, productCode: 'APP_A' };
    expect(sum((await seriesOf(tenantId, { ...span, step: 'HOUR', ...both })).committed)).toBe(0);
    const { tenantId: stranger } = await seedTenant(world);
    expect(await seriesOf(stranger, { ...span, step: 'DAY' })).toMatchObject({ committed: [0, 0] });
    expect(await seriesOf(tenantId, { ...span, step: 'DAY', campaignId: 'none' })).toMatchObject({
      committed: [0, 0],
    });
  });

  it('counts each refusal by its reason, campaign and product line, and no preview', async () => {
    const tenant = await seedTenant(world);
    const { tenantId } = tenant;
    const { campaignId, codes } = await seedCampaign(world, tenant, 1);
    const [a = '', b = ''] = await seedUsers(world, tenantId, 2);
    const [code = ''] = codes;
    await redeem(world, tenantId, a, code);
    await redeem(world, tenantId, a, code);
    await redeem(world, tenantId, b, code, { productCode: 'APP_A' });
    await redeem(other, tenantId, b, code);
    await redeem(world, tenantId, b, 'no code');
    await redeem(world, tenantId, b, code, { productCode: 'NO_LINE' });
    await redeem(world, tenantId, b, code, { productCode: null });
    const asked = { tenantId, userId: b, code, productCode: 'DEMO', deviceId: null, ip: null };
    await world.services.previews.preview({ ...asked, idempotencyKey: null, headerKey: null });
    await Promise.all([world.services.refusalCounter.flush(), other.services.refusalCounter.flush()]);
    const from = new Date(Date.now() - 60_000);
    const of = async (filter: object) => {
      const { refusals, refused } = await seriesOf(tenantId, { from, step: 'MINUTE', ...filter });
      const byReason = Object.fromEntries(refusals.map(({ refusal, total }) => [refusal, total]));
      expect(sum(refused)).toBe(sum(Object.values(byReason)));
      return byReason;
    };
    expect(await of({})).toEqual({
      ALREADY_REDEEMED: 1,
      CODE_EXHAUSTED: 2,
      CODE_MALFORMED: 1,
      PRODUCT_UNKNOWN: 1,
      PRODUCT_REQUIRED: 1,
    });
    expect(await of({ campaignId })).toEqual({ ALREADY_REDEEMED: 1, CODE_EXHAUSTED: 2 });
    expect(await of({ productCode: 'APP_A' })).toEqual({ CODE_EXHAUSTED: 1 });
    expect(await of({ campaignId, productCode: 'DEMO' })).toEqual({ ALREADY_REDEEMED: 1, CODE_EXHAUSTED: 1 });
    expect(await of({ productCode: 'NO_LINE' })).toEqual({});
  });

  it('counts refusals later that the database did not take, and never twice', async () => {
    const tenant = await seedTenant(world);
    const { tenantId } = tenant;
    const userId = await seedUser(world, tenantId);
    const { refusalCounter } = world.services;
    const refuse = async (): Promise<unknown> => redeem(world, tenantId, userId, 'no code');
    const total = async (): Promise<number> =>
      sum((await seriesOf(tenantId, { from: new Date(Date.now() - 60_000), step: 'MINUTE' })).refused);
    await refuse();
    failAt(world, 1);
    await refusalCounter.flush();
    vi.restoreAllMocks();
    expect(await total()).toBe(0);
    await refuse();
    await refusalCounter.flush();
    expect(await total()).toBe(2);
    await refuse();
    loseNextCommit(world, { isApplied: true });
    await refusalCounter.flush();
    await refusalCounter.flush();
    expect(await total()).toBe(3);
  });

  it.each([
    ['an end before the begin', { from: '2026-01-02T00:00:00Z', to: '2026-01-02T00:00:00Z', step: 'DAY' }],
    ['more than 1,500 points', { from: '2020-01-01T00:00:00Z', to: '2026-01-01T00:00:00Z', step: 'DAY' }],
    [
      'minutes that are not kept',
      { from: '2026-01-01T00:00:00Z', to: '2026-01-01T01:00:00Z', step: 'MINUTE' },
    ],
    ['hours that are not kept', { from: '2020-01-01T00:00:00Z', to: '2020-01-02T00:00:00Z', step: 'HOUR' }],
  ])('refuses %s', async (_what, variables) => {
    const { tenantId } = await seedTenant(world);
    const { errors } = await api.ask(staffOf(tenantId), SERIES, variables);
    expect(errors).toEqual(['BAD_USER_INPUT']);
  });
});

describe('the sum of the series is the number of rows', () => {
  it('when the same events are handled again and again, by two processes at once', async () => {
    const tenant = await seedTenant(world);
    const { tenantId } = tenant;
    const { codes } = await seedCampaign(world, tenant, 30);
    for (const code of codes.slice(0, 20)) await redeemed(tenant, code);
    await Promise.all([world, other, world, other].map(async (of) => countAll(tenantId, of)));
    expect(await seriesSums(world, tenantId)).toEqual({ COMMITTED: 20, REVERSED: 0 });
    for (const code of codes.slice(20)) await redeemed(tenant, code);
    await Promise.all([world, other, world, other].map(async (of) => countAll(tenantId, of)));
    for (const step of ['MINUTE', 'HOUR', 'DAY'])
      expect(await seriesSums(world, tenantId, step)).toEqual({ COMMITTED: 30, REVERSED: 0 });
  });

  it('whatever statement of the consumer fails, and where its COMMIT has no verdict', async () => {
    const tenant = await seedTenant(world);
    const { tenantId } = tenant;
    const { codes } = await seedCampaign(world, tenant, 20);
    await redeemed(tenant, codes[0] ?? '');
    await countAll(tenantId);
    let count = 1;
    for (let place = 1; place <= 4; place += 1) {
      await redeemed(tenant, codes[count] ?? '');
      count += 1;
      const events = await eventsOf(tenantId);
      failAt(world, place);
      await expect(seriesConsumer(world).handle(tenantId, events)).rejects.toThrow('It was made to fail.');
      vi.restoreAllMocks();
      expect(await seriesSums(world, tenantId)).toMatchObject({ COMMITTED: count - 1 });
      await countAll(tenantId);
      expect(await seriesSums(world, tenantId)).toMatchObject({ COMMITTED: count });
    }
    for (const isApplied of [true, false]) {
      await redeemed(tenant, codes[count] ?? '');
      count += 1;
      const events = await eventsOf(tenantId);
      loseNextCommit(world, { isApplied });
      await expect(seriesConsumer(world).handle(tenantId, events)).rejects.toThrow();
      vi.restoreAllMocks();
      await countAll(tenantId);
      expect(await seriesSums(world, tenantId)).toMatchObject({ COMMITTED: count });
    }
  });

  it('while two processes redeem and reverse, consumers change, and the series begins and is counted again', async () => {
    const tenant = await seedTenant(world);
    const { tenantId } = tenant;
    const { codes } = await seedCampaign(world, tenant, 200);
    const users = await seedUsers(world, tenantId, 200);
    const done = new AbortController();
    const reversed: Promise<unknown>[] = [];
    const redeeming = Promise.all(
      users.map(async (userId, at) => {
        const of = at % 2 === 0 ? world : other;
        const { redemption } = await redeem(of, tenantId, userId, codes[at] ?? '');
        if (at % 4 !== 0 || redemption === null) return;
        const wish = { redemptionId: redemption.id, reason: 'A test' };
        reversed.push(of.services.reversals.reverse(tenantId, 'eve', wish));
      }),
    );
    const log = createLog({ level: 'silent' });
    const consuming = (async () => {
      while (!done.signal.aborted) {
        const { orm } = other.stores;
        const worker = leasedConsumers([seriesConsumer(other)], {
          orm,
          eventLog: new EventLog(orm, 5000),
          log,
        });
        worker.start();
        await Promise.all(
          [other, world].map(async ({ services }) => services.seriesRecount.recount(tenantId)),
        );
        await worker.stop();
      }
    })();
    try {
      await redeeming;
      await Promise.all(reversed);
    } finally {
      done.abort();
      await consuming;
    }
    await countAll(tenantId);
    expect(await rowSums(tenantId)).toEqual({ COMMITTED: 200, REVERSED: 50 });
    for (const step of ['MINUTE', 'HOUR', 'DAY'])
      expect(await seriesSums(world, tenantId, step)).toEqual({ COMMITTED: 200, REVERSED: 50 });
  });

  it('for redemptions from before there were series, whichever process begins them', async () => {
    const tenant = await seedTenant(world);
    const { tenantId } = tenant;
    const { campaignId, codes } = await seedCampaign(world, tenant, 6);
    for (const code of codes.slice(0, 4)) await redeemed(tenant, code);
    const [first] = await emOf(world, tenantId).find(Redemption, {});
    await world.services.reversals.reverse(tenantId, 'eve', { redemptionId: first?.id, reason: 'A test' });
    // Retention has deleted what the log said of some of them.
    await emOf(world, tenantId).nativeDelete(OutboxEvent, { subjectId: present(first, 'A row').id });
    const from = new Date(Date.now() - DAY_MS);
    expect(await seriesOf(tenantId, { from, step: 'HOUR' })).toMatchObject({ isCounted: false });
    const begun = await Promise.all(
      [world, other].map(async (of) => of.services.seriesRecount.begin(tenantId)),
    );
    expect(begun.filter(Boolean)).toHaveLength(1);
    expect(await seriesSums(world, tenantId)).toEqual({ COMMITTED: 4, REVERSED: 1 });
    for (const code of codes.slice(4)) await redeemed(tenant, code);
    await countAll(tenantId);
    for (const step of ['MINUTE', 'HOUR', 'DAY']) {
      expect(await seriesSums(world, tenantId, step)).toEqual({ COMMITTED: 6, REVERSED: 1 });
      const filter = { from, step: step === 'MINUTE' ? 'HOUR' : step, campaignId, productCode: 'DEMO' };
      const { committed, reversed, isCounted } = await seriesOf(tenantId, filter);
      expect([sum(committed), sum(reversed), isCounted]).toEqual([6, 1, true]);
    }
  });

  it('is begun for every tenant that has redemptions, and for no other', async () => {
    const [one, none] = [await seedTenant(world), await seedTenant(world)];
    const { codes } = await seedCampaign(world, one, 1);
    await redeemed(one, codes[0] ?? '');
    await world.services.seriesRecount.beginAll();
    expect(await seriesSums(world, one.tenantId)).toEqual({ COMMITTED: 1, REVERSED: 0 });
    const cursors = await emOf(world, none.tenantId).execute(
      'select * from redemption_series_cursor where tenant_id = ?',
      [none.tenantId],
    );
    expect(cursors).toEqual([]);
    expect(await world.services.seriesRecount.beginAll()).toBe(0);
  });
});
