import { createHmac } from 'node:crypto';
import type { PAY_ORDER_REFUSALS, PaymentRefusal } from '../../../src/orders/orders/order.errors.js';
import type { RequestContext } from '../../../src/graphql/context.js';
import type { World } from '../../support/world.js';
import type { Kind } from '../kind.js';
import { PAYMENT_SECRET } from '../workers.js';

export const PAY: Kind = {
  name: 'PAY',
  weight: 12,
  refusals: [
    'ORDER_NOT_PENDING',
    'RECHARGE_NOT_PAYABLE_FROM_BALANCE',
    'SUBSCRIPTION_NOT_FOUND',
    'PLAN_SOLD_OUT',
    'REWARD_HAS_NO_EFFECT',
    'INSUFFICIENT_BALANCE',
  ] satisfies readonly (typeof PAY_ORDER_REFUSALS)[number][],
  make: ({ scene, known, model, draw }) => {
    const userId = known.user(draw);
    const orderId = known.of(userId).orders.pick(draw);
    if (orderId === undefined) return null;
    return {
      says: orderId,
      send: async ({ services }) => {
        const { status } = await services.payments.pay(scene.tenantId, userId, orderId);
        model.order(orderId).isPaid = true;
        known.of(userId).paid.add(orderId);
        return status;
      },
    };
  },
};

/** A provider's payment: in time or too late, once or several times, sometimes of another amount or not signed. */
export const CALL_BACK: Kind = {
  name: 'CALL_BACK',
  weight: 9,
  refusals: [
    'SIGNATURE_MISMATCH',
    'PAYMENT_ID_REUSED',
    'PAYMENT_AMOUNT_DIFFERS',
  ] satisfies readonly PaymentRefusal[],
  make: ({ scene: { tenantId }, known, model, draw }) => {
    const userId = known.user(draw);
    const orderId = known.of(userId).orders.pick(draw);
    if (orderId === undefined) return null;
    const order = model.order(orderId);
    // What coupons and points have paid is not sent to a provider.
    if (Number(order.amount) === 0) return null;
    const amount = draw.chance(0.05) ? '0.01' : order.amount;
    const paymentId = `${orderId}-${draw.between(1, 2)}`;
    const payment = { paymentId, orderNo: orderId, amount, currency: order.currency };
    const secret = draw.chance(0.03) ? PAYMENT_SECRET.toUpperCase() : PAYMENT_SECRET;
    return {
      says: `${paymentId} ${amount}`,
      send: async (world) => {
        const outcome = await callBack(world, tenantId, payment, secret);
        model.isNew(`payment ${paymentId}`, outcome);
        (outcome === 'ACCEPTED' ? order.accepted : order.returned).add(paymentId);
        if (outcome !== 'ACCEPTED') return outcome;
        order.isPaid = true;
        known.of(userId).paid.add(orderId);
        return outcome;
      },
    };
  },
};

async function callBack({ app, services }: World, tenantId: string, payment: object, secret: string) {
  const route = app.routes.find(({ path }) => path === '/api/payments/callback');
  if (route === undefined) throw new Error('There is no route for payments.');
  const body = JSON.stringify(payment);
  const timestamp = `${Math.floor(services.clock.nowMs() / 1000)}`;
  const key = hmac(secret, `payments:${tenantId}`);
  const headers = {
    'x-tenant-id': tenantId,
    'x-payment-timestamp': timestamp,
    'x-payment-signature': hmac(key, `${timestamp}.${body}`),
  };
  const answer = await route.answer({
    // No caller is signed in: the signature authenticates the callback.
    context: {} as RequestContext,
    params: {},
    query: {},
    headers,
    body: noBytes(),
    document: Buffer.from(body),
    json: undefined,
  });
  if (typeof answer.body !== 'string') throw new Error('A payment is answered by text.');
  const { outcome } = JSON.parse(answer.body) as { outcome: string };
  return outcome;
}

const hmac = (key: string, text: string): string => createHmac('sha256', key).update(text).digest('hex');

async function* noBytes(): AsyncGenerator<Uint8Array> {
  // The body of a POST comes whole.
}
