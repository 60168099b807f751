import { parse, subscribe, type ExecutionResult } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Actor } from '../../src/graphql/actor.js';
import { expectWithin } from '../support/lag.js';
import { ProductApi, refusalIn, staffOf } from '../support/product-api.js';
import {
  openWorld,
  outcomeOf,
  redeem,
  seedCampaign,
  seedTenant,
  seedUser,
  seedUsers,
  type World,
} from '../support/world.js';

/** Two processes on the same stores. */
let here: World;
let there: World;
let api: ProductApi;
let apiThere: ProductApi;
beforeAll(async () => {
  [here, there] = await Promise.all([openWorld(), openWorld()]);
  [api, apiThere] = [new ProductApi(here), new ProductApi(there)];
});
afterAll(async () => {
  await Promise.all([here?.close(), there?.close()]);
});

const SET = `mutation ($input: SetRateLimitInput!) {
  setRateLimit(input: $input) {
    rateLimit { productCode scope hourLimit dayLimit version } errors { code field } } }`;
const WINDOWS = 'windows { productCode scope window limit used remaining retryAfterMs }';
const USAGE = `query ($product: String, $user: ID, $device: String, $ip: String) {
  rateLimitUsage(productCode: $product, userId: $user, deviceId: $device, ip: $ip) {
    ${WINDOWS} lockOuts { scope failures failuresFree retryAfterMs } } }`;

interface Window {
  readonly productCode: string;
  readonly scope: string;
  readonly window: string;
  readonly limit: number;
  readonly used: number;
  readonly remaining: number;
  readonly retryAfterMs: number;
}

async function seeded(hourLimit = 10) {
  const tenant = await seedTenant(here);
  const { tenantId } = tenant;
  await here.services.lines.create(tenantId, { code: 'SHOP', name: 'Shop', hourLimit, dayLimit: 0 });
  const { codes } = await seedCampaign(here, tenant, 1, { rule: { useLimit: 0 } });
  const attempt = async (world: World, userId: string) =>
    outcomeOf(await redeem(world, tenantId, userId, codes[0] ?? '', { productCode: 'SHOP' }));
  const set = async (input: object) => {
    const { data } = await api.ask(staffOf(tenantId), SET, { input: { productCode: 'SHOP', ...input } });
    return data['setRateLimit'] ?? {};
  };
  return { tenantId, attempt, set };
}

async function windowsOf(asked: ProductApi, actor: Actor, variables = {}): Promise<Window[]> {
  const { data } = await asked.ask(actor, USAGE, { product: 'SHOP', ...variables });
  return data['rateLimitUsage']?.['windows'] as Window[];
}

describe('X.7 what is left of limits', () => {
  it('X.7 is shown to staff for product lines and any caller, and to users for themselves', async () => {
    const { tenantId, attempt } = await seeded();
    const [userId = '', other = ''] = await seedUsers(here, tenantId, 2);
    await attempt(here, userId);
    await attempt(there, other);
    const line = { productCode: 'SHOP', scope: 'PRODUCT_LINE', window: 'HOUR', limit: 10 };
    const user = { productCode: 'SHOP', scope: 'USER', window: 'HOUR', limit: 2 };
    const staff = staffOf(tenantId, 'AUDITOR');
    const free = { retryAfterMs: 0 };
    expect(await windowsOf(api, staff)).toEqual([{ ...line, used: 2, remaining: 8, ...free }]);
    expect(await windowsOf(apiThere, staff, { user: userId })).toEqual([
      { ...line, used: 2, remaining: 8, ...free },
      { ...user, used: 1, remaining: 1, ...free },
    ]);
    const own: Actor = { kind: 'USER', tenantId, userId };
    expect(await windowsOf(api, own)).toEqual([{ ...user, used: 1, remaining: 1, ...free }]);
    await attempt(here, userId);
    const [full] = await windowsOf(apiThere, own);
    expect(full).toMatchObject({ used: 2, remaining: 0 });
    expect(full?.retryAfterMs).toBeGreaterThan(3_500_000);
  });

  it('X.7 is shown to users for active product lines alone', async () => {
    const { tenantId } = await seeded();
    const own: Actor = { kind: 'USER', tenantId, userId: await seedUser(here, tenantId) };
    expect(await windowsOf(api, own)).toHaveLength(1);
    await here.services.lines.update(tenantId, 'SHOP', { status: 'DISABLED' });
    expect(await windowsOf(api, own)).toEqual([]);
    const all = await windowsOf(api, own, { product: null });
    expect(new Set(all.map(({ productCode }) => productCode))).toEqual(new Set(['APP_A']));
    expect(await windowsOf(api, staffOf(tenantId, 'AUDITOR'))).toHaveLength(1);
  });

  it('X.7 is not shown to users of others, nor for what is no user, device or address', async () => {
    const { tenantId } = await seeded();
    const [userId = '', other = ''] = await seedUsers(here, tenantId, 2);
    const own: Actor = { kind: 'USER', tenantId, userId };
    const errorsOf = async (actor: Actor | null, variables: Record<string, unknown>) =>
      (await api.ask(actor, USAGE, variables)).errors;
    for (const wish of [{ user: other }, { device: 'd' }, { ip: '192.0.2.1' }])
      expect(await errorsOf(own, wish)).toEqual(['FORBIDDEN']);
    for (const wish of [{ user: 'x' }, { device: 'a\ud800' }, { device: '' }, { ip: '1.5' }])
      expect(await errorsOf(staffOf(tenantId), wish)).toEqual(['BAD_USER_INPUT']);
    expect(await errorsOf(null, {})).toEqual(['UNAUTHENTICATED']);
  });

  it('X.7 lists failures and waits', async () => {
    const { tenantId } = await seeded();
    const userId = await seedUser(here, tenantId);
    await redeem(here, tenantId, userId, 'ABCDEFGH23456789');
    const { data } = await api.ask(staffOf(tenantId), USAGE, { user: userId });
    expect(data['rateLimitUsage']?.['lockOuts']).toEqual([
      { scope: 'USER', failures: 1, failuresFree: 20, retryAfterMs: 0 },
      { scope: 'TENANT', failures: 1, failuresFree: 5000, retryAfterMs: 0 },
    ]);
  });
});

describe('X.7 setRateLimit', () => {
  it('X.7 holds at once on every process, each time it is answered', async () => {
    const { tenantId, attempt, set } = await seeded(0);
    const users = await seedUsers(here, tenantId, 21);
    for (let round = 0; round < 10; round += 1) {
      await set({ scope: 'PRODUCT_LINE', hourLimit: 1 + 2 * round });
      const [a = '', b = ''] = users.slice(2 * round);
      // One attempt is left of the limit, and then two more.
      const outcomes = [await attempt(there, a), await attempt(here, b)];
      expect(outcomes).toEqual(['COMMITTED', round === 0 ? 'RATE_LIMITED' : 'COMMITTED']);
    }
    await set({ scope: 'PRODUCT_LINE', hourLimit: 1 });
    expect(await attempt(there, users[20] ?? '')).toBe('RATE_LIMITED');
    await set({ scope: 'PRODUCT_LINE', hourLimit: 0 });
    expect(await attempt(there, users[20] ?? '')).toBe('COMMITTED');
  });

  it("X.7 sets a caller's limit beside the line's, and null brings the share back", async () => {
    const { tenantId, attempt, set } = await seeded(10);
    const [a = '', b = ''] = await seedUsers(here, tenantId, 2);
    expect(await set({ scope: 'USER', hourLimit: 1 })).toMatchObject({
      rateLimit: { productCode: 'SHOP', scope: 'USER', hourLimit: 1, dayLimit: null, version: 1 },
      errors: [],
    });
    expect([await attempt(there, a), await attempt(there, a)]).toEqual(['COMMITTED', 'RATE_LIMITED']);
    expect(await set({ scope: 'USER', hourLimit: null, expectedVersion: 1 })).toMatchObject({
      rateLimit: { hourLimit: null, version: 2 },
    });
    expect([await attempt(here, a), await attempt(there, a)]).toEqual(['ALREADY_REDEEMED', 'RATE_LIMITED']);
    expect(await attempt(there, b)).toBe('COMMITTED');
  });

  it('X.7 is for OWNER and OPERATOR, and refuses what is not possible', async () => {
    const { tenantId, set } = await seeded();
    const by = async (actor: Actor) =>
      api.ask(actor, SET, { input: { productCode: 'SHOP', scope: 'USER', hourLimit: 5 } });
    expect((await by(staffOf(tenantId, 'AUDITOR'))).errors).toEqual(['FORBIDDEN']);
    expect((await by({ kind: 'USER', tenantId, userId: '1' })).errors).toEqual(['FORBIDDEN']);
    expect(refusalIn(await set({ scope: 'USER', hourLimit: -1 }))).toBe('LIMIT_OUT_OF_RANGE');
    expect(refusalIn(await set({ scope: 'USER', productCode: 'NONE' }))).toBe('PRODUCT_LINE_NOT_FOUND');
    expect(refusalIn(await set({ scope: 'PRODUCT_LINE', productCode: 'NONE' }))).toBe(
      'PRODUCT_LINE_NOT_FOUND',
    );
    expect(refusalIn(await set({ scope: 'IP', expectedVersion: 1 }))).toBe('VERSION_CONFLICT');
  });

  it('X.7 are listed with what they come to, and the first of many who set one at once wins', async () => {
    const { tenantId, set } = await seeded(10);
    const listed = async (): Promise<object[]> => {
      const text = '{ rateLimits { productCode scope hourLimit dayLimit hourAllowed dayAllowed version } }';
      const { data } = await api.ask(staffOf(tenantId, 'AUDITOR'), text);
      const all = data['rateLimits'] as unknown as readonly { readonly productCode: string }[];
      return all.filter(({ productCode }) => productCode === 'SHOP');
    };
    const row = { productCode: 'SHOP', dayAllowed: 0 };
    const preset = { ...row, hourLimit: null, dayLimit: null, version: 0 };
    const line = { ...row, scope: 'PRODUCT_LINE', hourLimit: 10, dayLimit: 0, hourAllowed: 10, version: 1 };
    expect(await listed()).toEqual([
      line,
      { ...preset, scope: 'USER', hourAllowed: 2 },
      { ...preset, scope: 'DEVICE', hourAllowed: 2 },
      { ...preset, scope: 'IP', hourAllowed: 5 },
    ]);
    const first = await Promise.all(
      Array.from({ length: 10 }, async (_, at) => set({ scope: 'USER', hourLimit: at, expectedVersion: 0 })),
    );
    const winners = first.flatMap((each, at) => ((each['errors'] as unknown[]).length === 0 ? [at] : []));
    expect(winners).toHaveLength(1);
    const hourLimit = winners[0];
    expect((await listed())[1]).toMatchObject({
      scope: 'USER',
      hourLimit,
      hourAllowed: hourLimit,
      version: 1,
    });
    expect(refusalIn(await set({ scope: 'USER', expectedVersion: 0 }))).toBe('VERSION_CONFLICT');
  });

  it('X.7 of many at once are one change after the other', async () => {
    const { set } = await seeded();
    const first = await set({ scope: 'DEVICE', hourLimit: 1 });
    expect(first).toMatchObject({ errors: [] });
    const made = await Promise.all(
      Array.from({ length: 20 }, async (_, at) => set({ scope: 'DEVICE', hourLimit: at })),
    );
    const versions = made.map((each) => (each['rateLimit'] as { version: number } | null)?.version);
    expect(versions.toSorted((a = 0, b = 0) => a - b)).toEqual(Array.from({ length: 20 }, (_, at) => at + 2));
  });
});

it('X.7 rateLimitUsageChanged tells the present state at once, and each change of any process within two seconds', async () => {
  const { tenantId, attempt, set } = await seeded();
  const users = await seedUsers(here, tenantId, 2);
  const contextValue = { actor: staffOf(tenantId) };
  const document = parse(`subscription { rateLimitUsageChanged(productCode: "SHOP") { ${WINDOWS} } }`);
  const source = (await subscribe({ schema: api.schema, document, contextValue })) as AsyncGenerator<
    ExecutionResult<{ rateLimitUsageChanged: { windows: Window[] } }>,
    undefined
  >;
  const next = async (): Promise<Window | undefined> => {
    const { value } = await source.next();
    return value?.data?.rateLimitUsageChanged.windows[0];
  };
  expect(await next()).toMatchObject({ used: 0, limit: 10 });
  await expectWithin(here, 6000, async () => {
    await attempt(there, users[0] ?? '');
    expect(await next()).toMatchObject({ used: 1, remaining: 9 });
    await set({ scope: 'PRODUCT_LINE', hourLimit: 4 });
    expect(await next()).toMatchObject({ used: 1, remaining: 3, limit: 4 });
  });
  await source.return(undefined);
});
