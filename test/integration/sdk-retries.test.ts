import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  createClient,
  UnsettledError,
  type ClientOptions,
  type RedeemkitClient,
} from '../../sdk/src/index.js';
import { signedUser, signedUsers, type SignedUser } from '../support/cluster.js';
import { openDeviceWorld, type DeviceWorld } from '../support/device-world.js';
import { HttpProxy, type ProxyAct } from '../support/http-proxy.js';
import { MapStore } from '../support/sdk-store.js';
import { expectAtRest, truthOf } from '../support/truth.js';
import { seedCampaign, seedTenant } from '../support/world.js';

let setting: DeviceWorld;
let proxy: HttpProxy;
beforeAll(async () => {
  setting = await openDeviceWorld();
  proxy = await HttpProxy.start(setting.url);
});
afterAll(async () => {
  await proxy.close();
  await setting.close();
});
beforeEach(() => {
  proxy.acts = [];
  proxy.requests.length = 0;
});

const FAST = { firstPauseMs: 5, maxPauseMs: 50 };
const BAD_GATEWAY: ProxyAct = { status: 502, body: '<h1>Bad gateway</h1>' };
const UNAVAILABLE: ProxyAct = { status: 503, headers: { 'retry-after': '0' } };
const SIGN_IN_PAGE: ProxyAct = { status: 200, body: '<form>Sign in to this network</form>' };

const clientOf = (user: Pick<SignedUser, 'token'>, more: Partial<ClientOptions> = {}): RedeemkitClient =>
  createClient({ url: proxy.url, productCode: 'DEMO', env: 'web', token: user.token, retry: FAST, ...more });

async function seeded(count: number) {
  const tenant = await seedTenant(setting.world);
  const { codes } = await seedCampaign(setting.world, tenant, count, { rule: { useLimit: 0 } });
  return { ...tenant, code: codes[0] ?? '', codes, user: await signedUser(setting.world, tenant.tenantId) };
}

async function expectRedeemedOnce(tenantId: string, count = 1): Promise<void> {
  const { committed, events } = await truthOf(setting.world, tenantId);
  expect(committed).toHaveLength(count);
  expect(events.filter(({ type }) => type === 'redemption_settled')).toHaveLength(count);
  await expectAtRest(setting.world, tenantId);
}

const keysSent = () => new Set(proxy.requests.map(({ headers }) => headers['idempotency-key']));
const bodiesSent = () => new Set(proxy.requests.map(({ body }) => body));

describe('a redemption over a bad network', () => {
  it.each<[string, ProxyAct[]]>([
    ['connections that break before the server has the call', ['CUT', 'CUT', 'CUT']],
    ['answers that are lost', ['LOSE', 'LOSE', 'LOSE']],
    ['a proxy without a server', [BAD_GATEWAY, BAD_GATEWAY]],
    ['503', [UNAVAILABLE, UNAVAILABLE]],
    ['429 with a time', [{ status: 429, headers: { 'retry-after': '0' } }]],
    ['the page of a network that wants a sign-in', [SIGN_IN_PAGE]],
    ['all of them', ['LOSE', BAD_GATEWAY, 'CUT', UNAVAILABLE, SIGN_IN_PAGE, 'LOSE']],
  ])('X.25 happens once, by one key and one body, through %s', async (_name, acts) => {
    const { tenantId, code, user } = await seeded(1);
    proxy.acts = [...acts];
    const result = await clientOf(user).redeemCode(code);
    expect(result.status).toBe('COMMITTED');
    expect(proxy.requests).toHaveLength(acts.length + 1);
    expect(keysSent()).toEqual(new Set([result.idempotencyKey]));
    expect(bodiesSent().size).toBe(1);
    await expectRedeemedOnce(tenantId);
  });

  it('goes on after a request that is never answered', async () => {
    const { tenantId, code, user } = await seeded(1);
    proxy.acts = ['HANG', 'HANG'];
    const result = await clientOf(user, { timeoutMs: 1000 }).redeemCode(code);
    expect(result.status).toBe('COMMITTED');
    await expectRedeemedOnce(tenantId);
  });

  it('is the same for a double click, and each code has a key of its own', async () => {
    const { tenantId, codes, user } = await seeded(2);
    const [one = '', other = ''] = codes;
    const client = clientOf(user);
    proxy.acts = ['LOSE', 'CUT', 'LOSE'];
    const results = await Promise.all([
      client.redeemCode(one),
      client.redeemCode(` ${one.toLowerCase()} `),
      client.redeemCode(other),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['COMMITTED', 'COMMITTED', 'COMMITTED']);
    expect(results[1]).toEqual(results[0]);
    expect(keysSent().size).toBe(2);
    await expectRedeemedOnce(tenantId, 2);
  });
});

describe('a redemption whose outcome is unknown', () => {
  it('X.25 is settled after a reload, with the same key, by the user who began it and by no other', async () => {
    const { tenantId, code, user } = await seeded(1);
    const [other] = await signedUsers(setting.world, tenantId, 1);
    const pendingStore = new MapStore();
    proxy.acts = ['LOSE', 'CUT', 'CUT', 'CUT', 'CUT', 'CUT', 'CUT', 'CUT', 'CUT', 'CUT', 'CUT', 'CUT'];
    const page = clientOf(user, { pendingStore, retry: { ...FAST, deadlineMs: 100 } });
    const unsettled: unknown = await page.redeemCode(code).catch((error: unknown) => error);
    if (!(unsettled instanceof UnsettledError)) throw new Error(`It was settled: ${String(unsettled)}`);
    proxy.acts = [];

    expect(await clientOf(other ?? user, { pendingStore }).resumePending()).toEqual([]);
    const reloaded = clientOf(user, { pendingStore });
    const [resumed] = await reloaded.resumePending();
    expect(resumed).toMatchObject({
      code,
      idempotencyKey: unsettled.idempotencyKey,
      result: { status: 'COMMITTED' },
    });
    expect(keysSent()).toEqual(new Set([unsettled.idempotencyKey]));
    await expectRedeemedOnce(tenantId);
    expect(pendingStore.items.size).toBe(0);
    expect(await reloaded.resumePending()).toEqual([]);
    expect(await reloaded.redeemCode(code)).toMatchObject({ status: 'REFUSED', code: 'ALREADY_REDEEMED' });
  });

  it('is settled by typing the code again', async () => {
    const { tenantId, code, user } = await seeded(1);
    const pendingStore = new MapStore();
    proxy.acts = ['LOSE'];
    const first = clientOf(user, { pendingStore, retry: { ...FAST, deadlineMs: 1 } }).redeemCode(code);
    await expect(first).rejects.toThrow(UnsettledError);
    const again = await clientOf(user, { pendingStore }).redeemCode(code.toLowerCase());
    expect(again.status).toBe('COMMITTED');
    expect(keysSent().size).toBe(1);
    await expectRedeemedOnce(tenantId);
  });

  it('is kept when the caller gives up, and rejects with the reason', async () => {
    const { tenantId, code, user } = await seeded(1);
    const client = clientOf(user);
    proxy.acts = ['HANG'];
    const leaving = new AbortController();
    const left = client.redeemCode(code, { signal: leaving.signal });
    await expect.poll(() => proxy.requests.length).toBe(1);
    leaving.abort(new Error('The page was left.'));
    await expect(left).rejects.toThrow('The page was left.');
    expect(await client.resumePending()).toMatchObject([{ result: { status: 'COMMITTED' } }]);
    expect(keysSent().size).toBe(1);
    await expectRedeemedOnce(tenantId);
  });

  it('is noted nowhere when the server has refused it, or has not executed it', async () => {
    const { user } = await seeded(1);
    const pendingStore = new MapStore();
    const client = clientOf(user, { pendingStore });
    expect(await client.redeemCode('AAAABBBBCCCCDDDD')).toMatchObject({ status: 'REFUSED' });
    expect(pendingStore.items.size).toBe(0);
    const stranger = clientOf({ token: 'no-token' }, { pendingStore });
    await expect(stranger.redeemCode('AAAABBBBCCCCDDDD')).rejects.toMatchObject({ kind: 'UNAUTHENTICATED' });
    expect(pendingStore.items.size).toBe(0);
  });
});
