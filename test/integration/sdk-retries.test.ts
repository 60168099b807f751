import { describe, expect, it, vi } from 'vitest';
import { UnsettledError, type Encryption } from '../../sdk/src/index.js';
import { signedUser, signedUsers } from '../support/cluster.js';
import type { ProxyAct } from '../support/http-proxy.js';
import { FAST, sdkScene } from '../support/sdk-scene.js';
import { MapStore } from '../support/sdk-store.js';
import { expectAtRest, truthOf } from '../support/truth.js';
import { seedCampaign, seedTenant } from '../support/world.js';

const scene = sdkScene();
const { clientOf } = scene;
const BAD_GATEWAY: ProxyAct = { status: 502, body: '<h1>Bad gateway</h1>' };
const UNAVAILABLE: ProxyAct = { status: 503, headers: { 'retry-after': '0' } };
const SIGN_IN_PAGE: ProxyAct = { status: 200, body: '<form>Sign in to this network</form>' };

async function seeded(count: number) {
  const tenant = await seedTenant(scene.world);
  const { codes } = await seedCampaign(scene.world, tenant, count, { rule: { useLimit: 0 } });
  return { ...tenant, code: codes[0] ?? '', codes, user: await signedUser(scene.world, tenant.tenantId) };
}

async function expectRedeemedOnce(tenantId: string, count = 1): Promise<void> {
  const { committed, events } = await truthOf(scene.world, tenantId);
  expect(committed).toHaveLength(count);
  expect(events.filter(({ type }) => type === 'redemption_settled')).toHaveLength(count);
  await expectAtRest(scene.world, tenantId);
}

const keysSent = () => new Set(scene.proxy.requests.map(({ headers }) => headers['idempotency-key']));
const bodiesSent = () => new Set(scene.proxy.requests.map(({ body }) => body));

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
    scene.proxy.acts = [...acts];
    const result = await clientOf(user).redeemCode(code);
    expect(result.status).toBe('COMMITTED');
    expect(scene.proxy.requests).toHaveLength(acts.length + 1);
    expect(keysSent()).toEqual(new Set([result.idempotencyKey]));
    expect(bodiesSent().size).toBe(1);
    await expectRedeemedOnce(tenantId);
  });

  it('goes on after a request that is never answered', async () => {
    const { tenantId, code, user } = await seeded(1);
    scene.proxy.acts = ['HANG', 'HANG'];
    const result = await clientOf(user, { timeoutMs: 1000 }).redeemCode(code);
    expect(result.status).toBe('COMMITTED');
    await expectRedeemedOnce(tenantId);
  });

  it('is the same for a double click, and each code has a key of its own', async () => {
    const { tenantId, codes, user } = await seeded(2);
    const [one = '', other = ''] = codes;
    const client = clientOf(user);
    scene.proxy.acts = ['LOSE', 'CUT', 'LOSE'];
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
    const [other] = await signedUsers(scene.world, tenantId, 1);
    const pendingStore = new MapStore();
    scene.proxy.acts = ['LOSE', 'CUT', 'CUT', 'CUT', 'CUT', 'CUT', 'CUT', 'CUT', 'CUT', 'CUT', 'CUT', 'CUT'];
    const page = clientOf(user, { pendingStore, retry: { ...FAST, deadlineMs: 100 } });
    const unsettled: unknown = await page.redeemCode(code).catch((error: unknown) => error);
    if (!(unsettled instanceof UnsettledError)) throw new Error(`It was settled: ${String(unsettled)}`);
    scene.proxy.acts = [];

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
    scene.proxy.acts = ['LOSE'];
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
    scene.proxy.acts = ['HANG'];
    const leaving = new AbortController();
    const left = client.redeemCode(code, { signal: leaving.signal });
    await expect.poll(() => scene.proxy.requests.length).toBe(1);
    leaving.abort(new Error('The page was left.'));
    await expect(left).rejects.toThrow('The page was left.');
    expect(await client.resumePending()).toMatchObject([{ result: { status: 'COMMITTED' } }]);
    expect(keysSent().size).toBe(1);
    await expectRedeemedOnce(tenantId);
  });

  it('is not sent when the caller gives up before, and leaves no timer and no unhandled error behind', async () => {
    const { tenantId, code, user } = await seeded(1);
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', note);
    const leaving = new AbortController();
    const signal = leaving.signal;
    const token = async (): Promise<string> => {
      leaving.abort(new Error('The page was left.'));
      return user.token;
    };
    await expect(clientOf(user, { token }).redeemCode(code, { signal })).rejects.toThrow(
      'The page was left.',
    );
    await expect(clientOf(user, { token }).myPoints({ signal })).rejects.toThrow('The page was left.');
    const never = async (): Promise<string> => Promise.withResolvers<string>().promise;
    const sealing = new AbortController();
    const encryption: Encryption = {
      seal: async ({ body }) => {
        sealing.abort(new Error('The page was left.'));
        return { body, headers: {}, open: async (_status, text) => text };
      },
      correct: () => false,
    };
    const sealed = clientOf(user, { encryption, tenantId }).myPoints({ signal: sealing.signal });
    await expect(sealed).rejects.toThrow('The page was left.');
    const late = new AbortController();
    const stuck = clientOf(user, { token: never }).myPoints({ signal: late.signal });
    late.abort(new Error('It takes too long.'));
    await expect(stuck).rejects.toThrow('It takes too long.');
    expect(scene.proxy.requests).toEqual([]);

    scene.proxy.acts = [{ status: 429, headers: { 'retry-after': '20' } }];
    const [begun, ended] = [vi.spyOn(globalThis, 'setTimeout'), vi.spyOn(globalThis, 'clearTimeout')];
    const pauses = () => begun.mock.results.filter((_result, at) => begun.mock.calls[at]?.[1] === 20_000);
    const pausing = new AbortController();
    const paused = clientOf(user).redeemCode(code, { signal: pausing.signal });
    await expect.poll(pauses).toHaveLength(1);
    pausing.abort(new Error('The page was left.'));
    await expect(paused).rejects.toThrow('The page was left.');
    expect(ended.mock.calls.flat()).toContain(pauses()[0]?.value);
    vi.restoreAllMocks();
    process.off('unhandledRejection', note);
    expect(unhandled).toEqual([]);
    expect((await truthOf(scene.world, tenantId)).committed).toEqual([]);
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
