import { describe, expect, it } from 'vitest';
import {
  createClient,
  NetworkError,
  operation,
  RateLimitedError,
  RefusedError,
  RequestError,
  UnauthenticatedError,
  type ClientEnv,
} from '../../sdk/src/index.js';
import { signedUser, type SignedUser } from '../support/cluster.js';
import { openShop, shopper } from '../support/orders.js';
import { FAST, sdkScene } from '../support/sdk-scene.js';
import { truthOf } from '../support/truth.js';
import { seedCampaign, seedTenant, type SeededTenant } from '../support/world.js';

const scene = sdkScene();
const { clientOf } = scene;

interface Scene extends SeededTenant {
  readonly codes: readonly string[];
  readonly user: SignedUser;
}

async function seeded(count: number): Promise<Scene> {
  const tenant = await seedTenant(scene.world);
  const { codes } = await seedCampaign(scene.world, tenant, count);
  return { ...tenant, codes, user: await signedUser(scene.world, tenant.tenantId) };
}

const committed = async (tenantId: string) => (await truthOf(scene.world, tenantId)).committed;

describe('a client of the SDK', () => {
  it.each<[ClientEnv]>([['web'], ['app'], ['mini']])(
    'S4.18 sends product line, device, key and token as headers in %s, and is who the token says',
    async (env) => {
      const { tenantId, codes, user } = await seeded(1);
      const [code = ''] = codes;
      const client = clientOf(user, { env, deviceId: 'device-1' });
      const result = await client.redeemCode(code);
      const [request] = scene.proxy.requests;
      expect(request?.path).toBe('/graphql');
      expect(request?.headers).toMatchObject({
        authorization: `Bearer ${user.token}`,
        'x-product-code': 'DEMO',
        'x-device-id': 'device-1',
        'idempotency-key': result.idempotencyKey,
        'apollographql-client-name': `@redeemkit/client ${env}`,
      });
      expect(request?.body).not.toContain(user.userId);
      const rows = await committed(tenantId);
      expect(rows.map(({ userId, productCode }) => [userId, productCode])).toEqual([[user.userId, 'DEMO']]);
    },
  );

  it('answers a redemption, its repetition and a refusal by their types', async () => {
    const { tenantId, codes, user } = await seeded(1);
    const [code = ''] = codes;
    const client = clientOf(user);
    const first = await client.redeemCode(code, { idempotencyKey: 'my-key' });
    if (first.status !== 'COMMITTED') throw new Error(`It was ${first.status}.`);
    const [row] = await committed(tenantId);
    expect(first.redemption).toMatchObject({ id: row?.id, useNo: 1, rewards: [{ type: 'SUBSCRIPTION' }] });
    expect(first.orderNo).toBe(row?.id);
    expect(await client.redeemCode(code, { idempotencyKey: 'my-key' })).toEqual(first);
    const again = await client.redeemCode(code);
    expect(again).toMatchObject({ status: 'REFUSED', code: 'ALREADY_REDEEMED', redemption: { id: row?.id } });
    const other = await signedUser(scene.world, tenantId);
    expect(await clientOf(other).redeemCode(code)).toMatchObject({
      status: 'REFUSED',
      code: 'CODE_EXHAUSTED',
    });
    expect(await committed(tenantId)).toHaveLength(1);
  });

  it('reads what a user has', async () => {
    const { codes, user, planId } = await seeded(1);
    const client = clientOf(user);
    expect(await client.previewRedemption(codes[0] ?? '')).toMatchObject({ wouldRedeem: true, errors: [] });
    await client.redeemCode(codes[0] ?? '');
    expect(await client.mySubscriptions()).toMatchObject([{ planId, status: 'ACTIVE' }]);
    expect(await client.redemptions({ size: 5 })).toMatchObject({
      total: 1,
      items: [{ status: 'COMMITTED' }],
    });
    expect(await client.orders()).toMatchObject({
      total: 1,
      items: [{ type: 'REDEMPTION', status: 'FINISHED' }],
    });
    expect(await client.myCoupons()).toMatchObject({ total: 0 });
    expect(await client.myPoints()).toMatchObject({ balance: 0 });
    expect(await client.myBalances()).toMatchObject({ items: [] });
    const viewer = operation<{ viewer: { kind: string } }>('query Viewer { viewer { kind } }');
    expect(await client.query(viewer, {})).toEqual({ viewer: { kind: 'USER' } });
  });

  it('places, pays and cancels an order once, though answers are lost', async () => {
    const { world } = scene;
    const shop = await openShop(world);
    const { tenantId, planId } = shop;
    const userId = await shopper(world, shop, '150');
    const token = world.services.tokens.sign({ kind: 'USER', tenantId, userId }, 900);
    const client = clientOf({ token });
    scene.proxy.acts = ['LOSE', 'CUT', 'LOSE'];
    const order = await client.placeOrder({ type: 'PURCHASE', planId });
    expect(order).toMatchObject({ status: 'PENDING', total: '100', amount: '100' });
    scene.proxy.acts = ['LOSE', 'LOSE'];
    expect(await client.payOrder(order.orderNo)).toMatchObject({ status: 'FINISHED' });
    expect(await client.myBalances()).toMatchObject({ items: [{ balance: '50' }] });
    const second = await client.placeOrder({ type: 'PURCHASE', planId });
    await expect(client.payOrder(second.orderNo)).rejects.toMatchObject({ code: 'INSUFFICIENT_BALANCE' });
    scene.proxy.acts = ['LOSE'];
    expect(await client.cancelOrder(second.orderNo)).toMatchObject({ status: 'CLOSED', closeReason: 'USER' });
    expect(await client.orders({ filter: { type: 'PURCHASE' } })).toMatchObject({ total: 2 });
    expect(await client.order(order.orderNo)).toMatchObject({ status: 'FINISHED' });
  });

  it('asks for another token once, and only where the server has refused the first', async () => {
    const { codes, user } = await seeded(1);
    const asked: unknown[] = [];
    const client = clientOf(user, {
      token: (ask) => {
        asked.push(ask);
        return ask.refused === null ? `${user.token}x` : user.token;
      },
    });
    expect(await client.redeemCode(codes[0] ?? '')).toMatchObject({ status: 'COMMITTED' });
    expect(asked.at(-1)).toEqual({ refused: `${user.token}x`, code: 'UNAUTHENTICATED' });
    await expect(clientOf({ token: 'nonsense' }).myPoints()).rejects.toThrow(UnauthenticatedError);
    await expect(createClient({ url: scene.proxy.url, env: 'web' }).myPoints()).rejects.toMatchObject({
      kind: 'UNAUTHENTICATED',
      code: 'UNAUTHENTICATED',
    });
  });

  it('tells a wrong request, a refusal, a rate limit and a dead network apart', async () => {
    const { user } = await seeded(1);
    const client = clientOf(user);
    const wrong = operation<object>('query Wrong { nothingOfThisName }');
    await expect(client.query(wrong, {})).rejects.toThrow(RequestError);
    const unknown = client.cancelOrder('1');
    await expect(unknown).rejects.toThrow(RefusedError);
    await expect(unknown).rejects.toMatchObject({ code: 'ORDER_NOT_FOUND', isRetryable: false });
    scene.proxy.acts = [{ status: 429, headers: { 'retry-after': '3600' } }];
    const limited = client.myPoints();
    await expect(limited).rejects.toThrow(RateLimitedError);
    await expect(limited).rejects.toMatchObject({ retryAfterMs: 3_600_000 });
    scene.proxy.acts = [{ status: 403, body: '{"message":"The gateway forbids it."}' }];
    await expect(client.myPoints()).rejects.toMatchObject({ kind: 'REQUEST', code: 'HTTP_403' });
    const nowhere = clientOf(user, { url: 'http://127.0.0.1:1', retry: { ...FAST, deadlineMs: 100 } });
    await expect(nowhere.myPoints()).rejects.toThrow(NetworkError);
    expect(() => clientOf(user, { url: 'codes.example.com' })).toThrow('must begin with https://');
  });

  it('sends a mutation that is not repeatable once', async () => {
    const { user } = await seeded(1);
    const sign = operation<object>('mutation Out { signOutDevice { errors { code } } }');
    scene.proxy.acts = ['CUT'];
    await expect(clientOf(user).mutate(sign, {})).rejects.toThrow(NetworkError);
    expect(scene.proxy.requests).toHaveLength(1);
  });
});
