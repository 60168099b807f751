import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { standingCluster, signedUser, staffToken, type Cluster } from '../support/cluster.js';
import { graphqlRequest, graphqlSubscribe } from '../support/graphql-client.js';
import type { RunningProcess } from '../support/processes.js';
import { cursorNow, seedTenant } from '../support/world.js';

const CLOSED = `subscription ($after: String) { orderClosed(after: $after) {
  orderNo userId type status closeReason points coupons { couponId amount } } }`;
const ORDER = 'orderNo status amount total discount pointsSpent isNew refunded closeReason subscriptionId';

let cluster: Cluster;
/** An API process whose orders are closed at once, so that no test waits half an hour. */
let hasty: RunningProcess;
beforeAll(async () => {
  cluster = await standingCluster();
  hasty = await cluster.further({ ORDER_TIMEOUT_MINUTES: '0.01' });
});
afterAll(async () => {
  await hasty?.stop();
  await cluster?.close();
});

type Payload = Readonly<Record<string, unknown>> & { readonly errors?: readonly { readonly code: string }[] };

/** Asks one field, and expects no error. */
async function ask(
  url: string,
  token: string,
  query: string,
  variables: Record<string, unknown> = {},
): Promise<Payload> {
  const { data, errors } = await graphqlRequest<Record<string, Payload>>(url, { token, query, variables });
  expect(errors).toBeUndefined();
  const [payload = {}] = Object.values(data ?? {});
  expect(payload.errors ?? []).toEqual([]);
  return payload;
}

async function mutate(
  url: string,
  token: string,
  name: string,
  input: object,
  answer: string,
): Promise<Payload> {
  const type = `${name[0]?.toUpperCase()}${name.slice(1)}Input`;
  const query = `mutation ($input: ${type}!) { ${name}(input: $input) { ${answer} errors { code } } }`;
  return ask(url, token, query, { input });
}

const idOf = (payload: Payload, field: string): string => (payload[field] as { readonly id: string }).id;

describe('a user of /graphql alone', () => {
  it('orders, is too late, gets all back once, orders again, pays, is refunded in part and gives the rest away', async () => {
    const { world, urls } = cluster;
    const { tenantId, planId } = await seedTenant(world, { unitPrice: '100' });
    const [user, friend] = [await signedUser(world, tenantId), await signedUser(world, tenantId)];
    const staff = staffToken(world, tenantId);
    const [a, b] = urls;

    // A shop, a balance of 200, two coupons and 1,000 points.
    await mutate(a, staff, 'createCurrency', { code: 'USD', name: 'Dollar', scale: 2 }, 'currency { code }');
    const facilityId = idOf(
      await mutate(a, staff, 'createFacility', { name: 'Shop' }, 'facility { id }'),
      'facility',
    );
    const place = { userId: user.userId, facilityId, currency: 'USD' };
    const funds = { ...place, amount: '200', orderId: 'fund-1', remark: 'Welcome' };
    await mutate(a, staff, 'adjustBalance', funds, 'entry { id }');
    const couponIds: string[] = [];
    for (const terms of [
      { kind: 'RATE', rateMille: 100 },
      { kind: 'AMOUNT', amount: '30' },
    ]) {
      const template = { name: 'Welcome', currency: 'USD', ...terms };
      const made = await mutate(a, staff, 'createCouponTemplate', template, 'template { id }');
      const issue = { templateId: idOf(made, 'template'), userId: user.userId };
      const { coupons } = await mutate(a, staff, 'issueCoupon', issue, 'coupons { id }');
      couponIds.push((coupons as { id: string }[])[0]?.id ?? '');
    }
    await mutate(a, staff, 'grantPoints', { userId: user.userId, amount: 1000 }, 'replayed');
    const holdings = async () => {
      const query =
        '{ myBalances { items { balance } } myPoints { balance } myCoupons { items { id status balance } } }';
      const { data } = await graphqlRequest(b, { token: user.token, query });
      return data;
    };
    const untouched = await holdings();

    // Not paid in time: everything is reserved, and comes back once.
    const after = await cursorNow(world, tenantId);
    const own = await graphqlSubscribe(b, { token: user.token, query: CLOSED, variables: { after } });
    const all = await graphqlSubscribe(b, { token: staff, query: CLOSED, variables: { after } });
    const input = { type: 'PURCHASE', planId, couponIds, points: 1000 };
    const late = (await mutate(hasty.url, user.token, 'placeOrder', input, `order { ${ORDER} }`))['order'];
    expect(late).toMatchObject({
      status: 'PENDING',
      total: '100',
      discount: '40',
      pointsSpent: 1000,
      amount: '50',
    });
    const { orderNo: lateNo } = late as { orderNo: string };
    for (const stream of [own, all]) {
      const event = (await stream.next())?.data as { orderClosed: Record<string, unknown> };
      expect(event.orderClosed).toEqual({
        orderNo: lateNo,
        userId: user.userId,
        type: 'PURCHASE',
        status: 'CLOSED',
        closeReason: 'TIMEOUT',
        points: 1000,
        coupons: expect.arrayContaining([
          { couponId: couponIds[0], amount: '10' },
          { couponId: couponIds[1], amount: '30' },
        ]) as unknown,
      });
      await stream.close();
    }
    expect(await holdings()).toEqual(untouched);

    // Once more, and paid.
    const placed = (await mutate(a, user.token, 'placeOrder', input, `order { ${ORDER} }`))['order'];
    const { orderNo } = placed as { orderNo: string };
    const paid = await mutate(b, user.token, 'payOrder', { orderNo }, `order { ${ORDER} }`);
    expect(paid['order']).toMatchObject({ status: 'FINISHED', isNew: true, amount: '50' });
    expect(await holdings()).toMatchObject({
      myBalances: { items: [{ balance: '150' }] },
      myPoints: { balance: 0 },
    });
    const refund = { orderNo, amount: '20', reason: 'Late', idempotencyKey: 'refund-1' };
    const refunded = await mutate(
      a,
      staff,
      'refundOrder',
      refund,
      `order { ${ORDER} } refund { refundNo amount }`,
    );
    expect(refunded).toMatchObject({ order: { refunded: '20' }, refund: { refundNo: 1, amount: '20' } });

    // The rest goes to a friend.
    const gift = { toUserId: friend.userId, facilityId, currency: 'USD', amount: '170', orderId: 'gift-1' };
    await mutate(b, user.token, 'transfer', gift, 'transfer { id }');
    expect(await holdings()).toMatchObject({ myBalances: { items: [{ balance: '0' }] } });
    const theirs = await graphqlRequest(a, {
      token: friend.token,
      query: '{ myBalances { items { balance } } }',
    });
    expect(theirs.data).toEqual({ myBalances: { items: [{ balance: '170' }] } });
    const shown = await ask(b, user.token, `{ order(orderNo: "${lateNo}") { ${ORDER} } }`);
    expect(shown).toMatchObject({ status: 'CLOSED', closeReason: 'TIMEOUT', refunded: '0' });
  });
});
