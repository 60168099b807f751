import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { RunningServer } from '../../src/app/server.js';
import { OutboxEvent } from '../../src/platform/outbox/outbox.entity.js';
import { startApi } from '../support/api-server.js';
import { openBeforeAll } from '../support/open-before-all.js';
import {
  contentsOf,
  CURRENCY,
  expectClean,
  giveCoupon,
  givePoints,
  holdingsOf,
  openShop,
  orderOf,
  place,
  rowsOf,
  shopper,
  type Shop,
} from '../support/orders.js';
import { startOwnStores, type OwnStores } from '../support/own-stores.js';
import { emOf, openWorld, type World } from '../support/world.js';

const SECRET = 'payment'.repeat(6);
const PREVIOUS = 'earlier'.repeat(6);

let stores: OwnStores;
let world: World;
let server: RunningServer;
const environment = { ROLE: 'all', HTTP_BODY_LIMIT_BYTES: '2048' };
openBeforeAll(async (closing) => {
  // A worker takes jobs and events of any test that shares its stores.
  stores = await closing(startOwnStores());
  world = await closing(openWorld({}, stores));
  const secrets = { PAYMENT_SECRET: SECRET, PAYMENT_SECRET_PREVIOUS: PREVIOUS };
  server = await closing(startApi({ ...environment, ...secrets }, stores));
});

const hmac = (key: string, text: string): string => createHmac('sha256', key).update(text).digest('hex');
const nowS = (): number => Math.floor(world.services.clock.nowMs() / 1000);

interface Sent {
  readonly tenantId: string;
  readonly body: string;
  readonly timestamp?: string;
  readonly secret?: string;
  /** What is signed, if not what is sent. */
  readonly signed?: string;
  readonly headers?: Record<string, string>;
}

/** As a provider calls, whose key is made of the secret and the tenant. */
async function call({ tenantId, body, timestamp = String(nowS()), secret = SECRET, signed, headers }: Sent) {
  const key = hmac(secret, `payments:${tenantId}`);
  const reply = await fetch(`${server.address}/api/payments/callback`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-tenant-id': tenantId,
      'x-payment-timestamp': timestamp,
      'x-payment-signature': hmac(key, `${timestamp}.${signed ?? body}`),
      ...headers,
    },
    body,
  });
  const text = await reply.text();
  const answer = JSON.parse(text) as { errors?: { extensions: { code: string } }[] };
  return { status: reply.status, answer, code: answer.errors?.[0]?.extensions.code };
}

const bodyOf = (orderNo: string, more: Record<string, unknown> = {}): string =>
  JSON.stringify({ paymentId: `pay-${orderNo}`, orderNo, amount: '100.00', currency: CURRENCY, ...more });

async function scene(plan: Record<string, unknown> = {}) {
  const shop = await openShop(world, plan);
  const userId = await shopper(world, shop);
  const order = await place(world, shop, userId);
  return { shop, tenantId: shop.tenantId, userId, id: order.id };
}

const paymentsOf = async (shop: Shop) =>
  rowsOf(world, shop, 'select method, outcome from order_payment where tenant_id = :tenant order by id');

describe('a signed callback', () => {
  it('pays the order, and answers the same when it is repeated', async () => {
    const { shop, tenantId, userId, id } = await scene();
    const first = await call({ tenantId, body: bodyOf(id) });
    expect(first).toEqual({ status: 200, answer: { orderNo: id, outcome: 'ACCEPTED' }, code: undefined });
    const before = await contentsOf(world, shop);
    expect(await call({ tenantId, body: bodyOf(id, { amount: '100' }) })).toEqual(first);
    expect(await contentsOf(world, shop)).toEqual(before);
    expect(await orderOf(world, shop, id)).toMatchObject({ status: 'FINISHED', isNew: true });
    expect((await holdingsOf(world, shop, userId)).balance).toBe(0);
    expect((await world.services.subscriptions.mine(tenantId, userId))[0]?.status).toBe('ACTIVE');
    await expectClean(world, shop);
  });

  it('pays once, of eight that come at once', async () => {
    const { shop, tenantId, id } = await scene();
    const answers = await Promise.all(
      Array.from({ length: 8 }, async () => call({ tenantId, body: bodyOf(id) })),
    );
    expect(new Set(answers.map(({ answer }) => JSON.stringify(answer)))).toEqual(
      new Set([JSON.stringify({ orderNo: id, outcome: 'ACCEPTED' })]),
    );
    expect(await paymentsOf(shop)).toEqual([{ method: 'CALLBACK', outcome: 'ACCEPTED' }]);
    await expectClean(world, shop);
  });

  it('fills the balance for a recharge', async () => {
    const { shop, tenantId, userId } = await scene();
    const { id } = await place(world, shop, userId, { type: 'RECHARGE', planId: null, amount: '25.50' });
    await call({ tenantId, body: bodyOf(id, { amount: '25.5' }) });
    await call({ tenantId, body: bodyOf(id, { amount: '25.5' }) });
    expect((await holdingsOf(world, shop, userId)).balance).toBe(25.5);
    await expectClean(world, shop);
  });

  it('may be signed by the secret before the present one', async () => {
    const { tenantId, id } = await scene();
    expect((await call({ tenantId, body: bodyOf(id), secret: PREVIOUS })).status).toBe(200);
  });
});

describe('S2.13 a payment that comes too late', () => {
  it('is refunded to the balance once, where the order was closed', async () => {
    const { shop, tenantId, userId, id } = await scene({ inventory: 1 });
    await world.services.orderClosing.cancel(tenantId, id, userId);
    const late = { status: 200, answer: { orderNo: id, outcome: 'REFUNDED' }, code: undefined };
    for (let times = 0; times < 3; times += 1)
      expect(await call({ tenantId, body: bodyOf(id) })).toEqual(late);
    expect((await holdingsOf(world, shop, userId)).balance).toBe(100);
    expect((await orderOf(world, shop, id)).status).toBe('CLOSED');
    const events = await emOf(world, tenantId).find(OutboxEvent, { type: 'payment_refunded' });
    expect(events.map(({ userId: of, payload }) => [of, payload['orderNo']])).toEqual([[userId, id]]);
    await expectClean(world, shop);
  });

  it('is refunded where another payment has paid the order, each by itself', async () => {
    const { shop, tenantId, userId, id } = await scene();
    await call({ tenantId, body: bodyOf(id) });
    for (const paymentId of ['second', 'third']) {
      const { answer } = await call({ tenantId, body: bodyOf(id, { paymentId }) });
      expect(answer).toEqual({ orderNo: id, outcome: 'REFUNDED' });
    }
    expect((await holdingsOf(world, shop, userId)).balance).toBe(200);
    expect((await orderOf(world, shop, id)).status).toBe('FINISHED');
    await expectClean(world, shop);
  });

  it('is refunded where nothing can be delivered any more: the order fails, and gives back', async () => {
    const shop = await openShop(world);
    const { tenantId } = shop;
    const userId = await shopper(world, shop);
    await givePoints(world, shop, userId, 100);
    const coupon = await giveCoupon(world, shop, userId, { kind: 'RATE', rateMille: 100 });
    const { id } = await place(world, shop, userId, { couponIds: [coupon], points: 100 });
    // A subscription that has not begun counts, and cannot be extended.
    await rowsOf(world, shop, 'update plan set quota_per_user = 1 where tenant_id = :tenant');
    const { subscriptionId } = await paidOnce(shop, userId);
    await rowsOf(
      world,
      shop,
      `update subscription set status = 'PENDING' where tenant_id = :tenant and id = ?`,
      [subscriptionId],
    );
    const { answer } = await call({ tenantId, body: bodyOf(id, { amount: '89' }) });
    expect(answer).toEqual({ orderNo: id, outcome: 'REFUNDED' });
    expect(await orderOf(world, shop, id)).toMatchObject({ status: 'FAILED', closeReason: 'FAILED' });
    expect(await holdingsOf(world, shop, userId)).toEqual({
      balance: 89,
      points: 100,
      coupons: { [coupon]: 'AVAILABLE 0' },
    });
    await expectClean(world, shop);
  });
});

/** Another order of the user that a provider has paid. */
async function paidOnce(shop: Shop, userId: string) {
  const { id } = await place(world, shop, userId);
  await call({ tenantId: shop.tenantId, body: bodyOf(id) });
  return orderOf(world, shop, id);
}

describe('a callback that is refused writes nothing', () => {
  it.each([
    ['a signature of another body', { signed: '{}' }],
    ['a signature by another secret', { secret: 'other'.repeat(8) }],
    ['a signature that is none', { headers: { 'x-payment-signature': 'abc' } }],
    ['no signature', { headers: { 'x-payment-signature': '' } }],
    ['another tenant', { headers: { 'x-tenant-id': 'T_OTHER' } }],
    ['another timestamp', { headers: { 'x-payment-timestamp': '1' } }],
  ])('401 SIGNATURE_MISMATCH: %s', async (_what, sent) => {
    const { shop, tenantId, id } = await scene();
    const before = await contentsOf(world, shop);
    const { status, code } = await call({ tenantId, body: bodyOf(id), ...sent });
    expect([status, code]).toEqual([401, 'SIGNATURE_MISMATCH']);
    expect(await contentsOf(world, shop)).toEqual(before);
  });

  it('401 TIMESTAMP_STALE: more than five minutes away, before and after', async () => {
    const { tenantId, id } = await scene();
    for (const timestamp of [nowS() - 310, nowS() + 310, 0, 'soon']) {
      const { status, code } = await call({ tenantId, body: bodyOf(id), timestamp: String(timestamp) });
      expect([status, code]).toEqual([401, 'TIMESTAMP_STALE']);
    }
    expect((await call({ tenantId, body: bodyOf(id), timestamp: String(nowS() - 280) })).status).toBe(200);
  });

  it.each([
    ['no JSON', 'amount=100'],
    ['nothing', ''],
    ['an array', '[]'],
    ['a number as amount', '{"paymentId":"a","orderNo":"1","amount":100,"currency":"USD"}'],
    ['an amount with an exponent', '{"paymentId":"a","orderNo":"1","amount":"1e2","currency":"USD"}'],
    ['an amount of 0', '{"paymentId":"a","orderNo":"1","amount":"0","currency":"USD"}'],
    ['a negative amount', '{"paymentId":"a","orderNo":"1","amount":"-1","currency":"USD"}'],
    ['a payment id with a blank', '{"paymentId":"a b","orderNo":"1","amount":"1","currency":"USD"}'],
    ['an order number that is none', '{"paymentId":"a","orderNo":"x","amount":"1","currency":"USD"}'],
    ['a field too many', '{"paymentId":"a","orderNo":"1","amount":"1","currency":"USD","more":1}'],
  ])('400 PAYMENT_MALFORMED: %s', async (_what, body) => {
    const { tenantId } = await scene();
    const { status, code } = await call({ tenantId, body });
    expect([status, code]).toEqual([400, 'PAYMENT_MALFORMED']);
  });

  it.each([
    [404, 'ORDER_NOT_FOUND', { orderNo: '7' }],
    [409, 'PAYMENT_AMOUNT_DIFFERS', { amount: '99.99' }],
    [409, 'PAYMENT_AMOUNT_DIFFERS', { amount: '100.01' }],
    [409, 'PAYMENT_CURRENCY_DIFFERS', { currency: 'EUR' }],
  ])('%i %s for %j', async (status, code, more) => {
    const { shop, tenantId, id } = await scene();
    const before = await contentsOf(world, shop);
    const refused = await call({ tenantId, body: bodyOf(id, more) });
    expect([refused.status, refused.code]).toEqual([status, code]);
    expect(await contentsOf(world, shop)).toEqual(before);
  });

  it('404 ORDER_NOT_FOUND for the order of another tenant, and of a redemption', async () => {
    const { id } = await scene();
    const other = await scene();
    expect((await call({ tenantId: other.tenantId, body: bodyOf(id) })).code).toBe('ORDER_NOT_FOUND');
  });

  it('409 PAYMENT_ID_REUSED for a payment id of another order', async () => {
    const { tenantId, id, userId, shop } = await scene();
    const second = await place(world, shop, userId);
    await call({ tenantId, body: bodyOf(id) });
    const refused = await call({ tenantId, body: bodyOf(second.id, { paymentId: `pay-${id}` }) });
    expect([refused.status, refused.code]).toEqual([409, 'PAYMENT_ID_REUSED']);
    expect((await orderOf(world, shop, second.id)).status).toBe('PENDING');
  });

  it('413 for a body that is too large, and 415 for one that is no JSON by its type', async () => {
    const { tenantId, id } = await scene();
    const large = await call({ tenantId, body: bodyOf(id, { paymentId: 'x'.repeat(3000) }) });
    expect(large.status).toBe(413);
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    expect((await call({ tenantId, body: bodyOf(id), headers: form })).status).toBe(415);
  });

  it('404 PAYMENT_CALLBACK_OFF where no secret is set', async () => {
    const { tenantId, id } = await scene();
    const without = await startApi(environment, stores);
    try {
      const reply = await fetch(`${without.address}/api/payments/callback`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-tenant-id': tenantId },
        body: bodyOf(id),
      });
      expect(reply.status).toBe(404);
      expect(await reply.json()).toMatchObject({
        errors: [{ extensions: { code: 'PAYMENT_CALLBACK_OFF' } }],
      });
    } finally {
      await without.stop();
    }
  });
});
