import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Code } from '../../src/codes/code.entity.js';
import { RefusedAttempt } from '../../src/redemption/history/refused-attempt.entity.js';
import { statementsOf } from '../support/statements.js';
import { ProductApi, staffOf } from '../support/product-api.js';
import {
  emOf,
  openWorld,
  outcomeOf,
  redeem,
  seedCampaign,
  seedTenant,
  seedUser,
  seedUsers,
  tally,
  type World,
} from '../support/world.js';

/** In ten seconds, of one tenant. */
const KEPT = 20;

let world: World;
let api: ProductApi;
beforeAll(async () => {
  world = await openWorld({ UNIFORM_REFUSALS: 'true', ATTEMPT_LOG_PER_MINUTE: String(6 * KEPT) });
  api = new ProductApi(world);
});
afterAll(async () => world?.close());

const ATTEMPTS = `query ($filter: RefusedAttemptFilter) {
  attempts(filter: $filter) { total items {
    id userId externalUserId productCode deviceId address isPreview refusal limitedBy retryAfterMs further } } }`;

interface Page {
  readonly total: number;
  readonly items: readonly Record<string, unknown>[];
}

async function attemptsOf(tenantId: string, filter: object | null = null): Promise<Page> {
  await world.services.attemptLog.flush();
  const { data } = await api.ask(staffOf(tenantId, 'AUDITOR'), ATTEMPTS, { filter });
  return data['attempts'] as unknown as Page;
}

const UNKNOWN = 'ABCDEFGH23456789';

describe('the log of refused attempts', () => {
  it('tells staff the reason, by what the customer typed, though the caller was told none', async () => {
    const tenant = await seedTenant(world);
    const { tenantId } = tenant;
    const { codes } = await seedCampaign(world, tenant, 2, { rule: { useLimit: 1 } });
    const [a = '', b = ''] = await seedUsers(world, tenantId, 2);
    await redeem(world, tenantId, a, codes[0] ?? '');
    const options = { deviceId: 'd-1', ip: '2001:db8:1:2::3' };
    expect(outcomeOf(await redeem(world, tenantId, b, codes[0] ?? '', options))).toBe('CODE_REFUSED');
    expect(outcomeOf(await redeem(world, tenantId, b, UNKNOWN))).toBe('CODE_REFUSED');
    const typed = ` ${(codes[0] ?? '').toLowerCase().replace(/(.{4})/g, '$1-')}`;
    expect(await attemptsOf(tenantId, { code: typed })).toMatchObject({
      total: 1,
      items: [
        {
          userId: b,
          externalUserId: expect.any(String) as string,
          productCode: 'DEMO',
          deviceId: 'd-1',
          address: '2001:db8:1:2',
          isPreview: false,
          refusal: 'CODE_EXHAUSTED',
          limitedBy: null,
          further: 0,
        },
      ],
    });
    expect((await attemptsOf(tenantId)).items.map(({ refusal }) => refusal)).toEqual([
      'CODE_NOT_FOUND',
      'CODE_EXHAUSTED',
    ]);
    expect(await attemptsOf(tenantId, { userId: a })).toEqual({ total: 0, items: [] });
    expect(await attemptsOf(tenantId, { code: '' })).toEqual({ total: 0, items: [] });
    expect((await attemptsOf(tenantId, { refusal: 'CODE_NOT_FOUND' })).total).toBe(1);
  });

  it('answers why a code was refused to a user at a time', async () => {
    const tenant = await seedTenant(world);
    const { tenantId } = tenant;
    const { codes } = await seedCampaign(world, tenant, 1, { rule: { useLimit: 1 } });
    const [a = '', b = ''] = await seedUsers(world, tenantId, 2);
    await redeem(world, tenantId, a, codes[0] ?? '');
    await redeem(world, tenantId, b, codes[0] ?? '');
    await world.services.attemptLog.flush();
    const [row] = await emOf(world, tenantId).find(RefusedAttempt, {});
    const at = row?.refusedAt.getTime() ?? 0;
    const found = async (fromMs: number, beforeMs: number, userId = b): Promise<unknown[]> => {
      const times = { from: new Date(fromMs), before: new Date(beforeMs) };
      const { items } = await attemptsOf(tenantId, { code: codes[0], userId, ...times });
      return items.map(({ refusal }) => refusal);
    };
    expect(await found(at, at + 1)).toEqual(['CODE_EXHAUSTED']);
    expect(await found(at - 86_400_000, Date.UTC(9999, 0))).toEqual(['CODE_EXHAUSTED']);
    expect(await found(at + 1, at + 2)).toEqual([]);
    expect(await found(at - 1, at)).toEqual([]);
    expect(await found(at, at + 1, a)).toEqual([]);
  });

  it('holds digests only, and nothing of another tenant', async () => {
    const tenant = await seedTenant(world);
    const userId = await seedUser(world, tenant.tenantId);
    await redeem(world, tenant.tenantId, userId, UNKNOWN);
    await world.services.attemptLog.flush();
    const rows = await emOf(world, tenant.tenantId).find(RefusedAttempt, {});
    expect(rows).toHaveLength(1);
    expect(JSON.stringify(rows)).not.toContain(UNKNOWN);
    expect(rows[0]?.codeDigest).toMatch(/^[\w-]{43}$/);
    const other = await seedTenant(world);
    expect((await attemptsOf(other.tenantId)).total).toBe(0);
  });

  it('says whose limit held an attempt back', async () => {
    const tenant = await seedTenant(world);
    const { tenantId } = tenant;
    await world.services.lines.create(tenantId, { code: 'ONE', name: 'One', hourLimit: 2, dayLimit: 0 });
    const users = await seedUsers(world, tenantId, 3);
    for (const userId of [users[0], users[0], users[1], users[2]])
      await redeem(world, tenantId, userId ?? '', UNKNOWN, { productCode: 'ONE' });
    const { items } = await attemptsOf(tenantId, { refusal: 'RATE_LIMITED' });
    expect(items.map(({ limitedBy }) => limitedBy)).toEqual(['PRODUCT_LINE', 'USER']);
    expect(items[0]?.['retryAfterMs']).toBeGreaterThan(3_500_000);
  });

  it('keeps a bounded sample of a flood, in which other users still appear', async () => {
    const tenant = await seedTenant(world);
    const { tenantId } = tenant;
    await seedCampaign(world, tenant, 1);
    const [loud = '', quiet = ''] = await seedUsers(world, tenantId, 2);
    await Promise.all(Array.from({ length: 500 }, async () => redeem(world, tenantId, loud, 'no code')));
    await redeem(world, tenantId, quiet, UNKNOWN);
    const { total, items } = await attemptsOf(tenantId);
    expect(total).toBe(4);
    expect(items[0]).toMatchObject({ userId: quiet, refusal: 'CODE_NOT_FOUND' });
    expect(items.reduce((sum, { further }) => sum + Number(further), 0)).toBe(497);
    const many = await seedUsers(world, tenantId, 60);
    const answers = await Promise.all(many.map(async (userId) => redeem(world, tenantId, userId, 'no code')));
    expect(tally(answers)).toEqual({ CODE_MALFORMED: 60 });
    expect((await attemptsOf(tenantId)).total).toBe(4 + KEPT);
  });

  it('finds a rare refusal by an index, and not by a walk over all others', async () => {
    const { tenantId } = await seedTenant(world);
    const em = emOf(world, tenantId);
    const attempt = { tenantId, refusedAt: new Date(), userId: '1', isPreview: false, further: 0 };
    await em.insertMany(
      RefusedAttempt,
      Array.from({ length: 3000 }, (_, at) => ({
        ...attempt,
        id: String(at + 1),
        refusal: at === 1500 ? ('CODE_NOT_YOURS' as const) : ('CODE_NOT_FOUND' as const),
      })),
    );
    const sent = await statementsOf(world.stores.readOrm, async () => {
      expect((await attemptsOf(tenantId, { refusal: 'CODE_NOT_YOURS' })).total).toBe(1);
    });
    const { query = '', params = [] } = sent.find((each) => each.query.includes('refused_attempt')) ?? {};
    const [plan] = await em.execute<{ key: string; Extra: string }[]>(`explain format=traditional ${query}`, [
      ...params,
    ]);
    expect(plan?.key).toBe('ix_refused_attempt__refusal');
    expect(plan?.Extra).not.toContain('filesort');
  });

  it('is deleted after its days, and only then', async () => {
    const tenant = await seedTenant(world);
    const userId = await seedUser(world, tenant.tenantId);
    for (let at = 0; at < 3; at += 1) await redeem(world, tenant.tenantId, userId, 'no code');
    const [first] = (await attemptsOf(tenant.tenantId)).items;
    const em = emOf(world, tenant.tenantId);
    const old = new Date(Date.now() - 31 * 86_400_000);
    await em.nativeUpdate(RefusedAttempt, { id: String(first?.['id']) }, { refusedAt: old });
    expect(await world.services.attemptRetention.prune(undefined, (work) => work !== 'refused_attempt')).toBe(
      0,
    );
    expect(await world.services.attemptRetention.prune()).toBeGreaterThanOrEqual(1);
    expect((await attemptsOf(tenant.tenantId)).total).toBe(2);
  });

  it('is for staff', async () => {
    const { tenantId } = await seedTenant(world);
    const { errors } = await api.ask({ kind: 'USER', tenantId, userId: '1' }, ATTEMPTS);
    expect(errors).toEqual(['FORBIDDEN']);
  });
});

it('X.5 folded refusals are answered alike, after the same time within noise, and count alike', async () => {
  const tenant = await seedTenant(world);
  const { tenantId } = tenant;
  const { codes, campaignId } = await seedCampaign(world, tenant, 12);
  const paused = await seedCampaign(world, tenant, 12);
  await world.services.campaignChanges.step(tenantId, paused.campaignId, 'pause');
  const first = await seedUser(world, tenantId);
  expect(campaignId).not.toBe(paused.campaignId);
  for (const code of codes) await redeem(world, tenantId, first, code);
  const kinds = [
    Array.from({ length: 10 }, (_, at) => `ABCDEFGH2345678${at}`.replace(/[01]/, 'Z')),
    codes.slice(0, 10),
    paused.codes.slice(0, 10),
  ];
  const users = await seedUsers(world, tenantId, kinds.length);
  const fastest = kinds.map(() => Infinity);
  // In turn: what slows the machine down meets all kinds.
  for (let at = 0; at < 10; at += 1) {
    for (const [kind, list] of kinds.entries()) {
      const fromMs = performance.now();
      const answer = await redeem(world, tenantId, users[kind] ?? '', list[at] ?? '');
      fastest[kind] = Math.min(fastest[kind] ?? 0, performance.now() - fromMs);
      expect(answer).toEqual({
        status: 'REFUSED',
        redemption: null,
        orderNo: null,
        refusal: { code: 'CODE_REFUSED', retryAfterMs: null },
      });
    }
  }
  const failures = users.map(async (userId) => {
    const wish = { productCode: 'DEMO', caller: { userId }, isOwn: true };
    return (await world.services.rateLimitUsage.report(tenantId, wish)).lockOuts[0]?.failures;
  });
  expect(await Promise.all(failures)).toEqual([10, 10, 10]);
  expect(Math.max(...fastest) - Math.min(...fastest)).toBeLessThan(20);
  expect(Math.min(...fastest)).toBeGreaterThanOrEqual(95);
});

it('X.5 a refusal is not folded for the user that the code is assigned to, and is no failure', async () => {
  const tenant = await seedTenant(world);
  const { tenantId } = tenant;
  const { codes } = await seedCampaign(world, tenant, 2);
  const [owner = '', other = ''] = await seedUsers(world, tenantId, 2);
  const values = { assignedUserId: owner, status: 'DISABLED' } as const;
  await emOf(world, tenantId).nativeUpdate(Code, { codeText: { $in: codes } }, values);
  const asked = { tenantId, code: codes[1] ?? '', productCode: 'DEMO', deviceId: null, idempotencyKey: null };
  const told = [];
  for (const userId of [owner, other]) {
    told.push(outcomeOf(await redeem(world, tenantId, userId, codes[0] ?? '')));
    told.push((await world.services.previews.preview({ ...asked, userId })).refusal?.code);
  }
  expect(told).toEqual(['CODE_INACTIVE', 'CODE_INACTIVE', 'CODE_REFUSED', 'CODE_REFUSED']);
  const failures = async (userId: string) => {
    const wish = { productCode: 'DEMO', caller: { userId }, isOwn: true };
    return (await world.services.rateLimitUsage.report(tenantId, wish)).lockOuts[0]?.failures;
  };
  expect([await failures(owner), await failures(other)]).toEqual([0, 2]);
});
