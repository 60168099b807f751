import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Actor } from '../../src/graphql/actor.js';
import { orderWays, type OrderFilter } from '../../src/orders/orders/order-ways.js';
import { ORDER_STATUSES, ORDER_TYPES } from '../../src/orders/orders/order.entity.js';
import { PAYMENT_STATES } from '../../src/orders/orders/payment-state.js';
import type { Way } from '../../src/platform/database/list-ways.js';
import { redemptionWays, type RedemptionListFilter } from '../../src/redemption/history/redemption-ways.js';
import { openShop, place, shopper } from '../support/orders.js';
import { ProductApi, staffOf } from '../support/product-api.js';
import { emOf, openWorld, redeem, seedCampaign, seedUser, type World } from '../support/world.js';

let world: World;
let api: ProductApi;
beforeAll(async () => {
  world = await openWorld();
  api = new ProductApi(world);
});
afterAll(async () => world?.close());

const LIST = `query ($filter: OrderFilterInput, $size: Int, $sort: SortOrder, $after: ID) {
  orders(filter: $filter, size: $size, sort: $sort, after: $after) {
    total next items { id type status paymentState externalUserId } } }`;
interface Item {
  readonly id: string;
  readonly paymentState: string | null;
  readonly externalUserId: string;
}
interface Listed {
  readonly total: number;
  readonly next: string | null;
  readonly items: readonly Item[];
}

async function list(actor: Actor, variables: Record<string, unknown>): Promise<Listed> {
  const { data, errors } = await api.ask(actor, LIST, variables);
  expect(errors).toEqual([]);
  return data['orders'] as unknown as Listed;
}

/** One order of each fate, and redemptions at two product lines: committed, reversed, given up. */
async function openTrade() {
  const shop = await openShop(world);
  const { tenantId } = shop;
  const [buyer, other] = [await shopper(world, shop, '1000'), await seedUser(world, tenantId)];
  const { payments, refunds, orderClosing, reversals, orders } = world.services;
  const bought = async () => (await place(world, shop, buyer)).id;
  const [unpaid, closed, paid, partly, refunded] = [
    await bought(),
    await bought(),
    await bought(),
    await bought(),
    await bought(),
  ];
  await orderClosing.cancel(tenantId, closed, buyer);
  for (const orderNo of [paid, partly, refunded]) await payments.pay(tenantId, buyer, orderNo);
  const reason = 'A test';
  await refunds.refund(tenantId, 'eve', { orderNo: partly, amount: '1', reason });
  await refunds.refund(tenantId, 'eve', { orderNo: refunded, reason });
  const campaign = await seedCampaign(world, shop, 2);
  const second = await seedCampaign(world, shop, 1);
  const spend = async (code: string | undefined, userId: string, productCode = 'DEMO') =>
    (await redeem(world, tenantId, userId, code ?? '', { productCode })).redemption?.id ?? '';
  const redeemed = await spend(campaign.codes[0], other);
  const reversed = await spend(campaign.codes[1], buyer, 'APP_A');
  const elsewhere = await spend(second.codes[0], other, 'APP_A');
  await reversals.reverse(tenantId, 'eve', { redemptionId: reversed, reason });
  const failed = world.services.ids.next();
  const em = emOf(world, tenantId);
  const now = new Date(world.services.clock.nowMs());
  const given = { subscriptionId: null, isNew: true, createdAt: now, finishedAt: now };
  await orders.insertFailedOrders(em, tenantId, [{ id: failed, userId: other, ...given }]);
  const ids = { unpaid, closed, paid, partly, refunded, redeemed, reversed, elsewhere, failed };
  return { ...shop, buyer, other, campaign, second, ids };
}

const newestFirst = (ids: readonly string[]) => ids.toSorted().toReversed();

describe('S0.18 orders are listed', () => {
  it('by number, user, type, status and state of payment, with the total of each', async () => {
    const { tenantId, buyer, ids } = await openTrade();
    const staff = staffOf(tenantId, 'AUDITOR');
    const found = async (filter: Record<string, unknown>) => {
      const { total, items } = await list(staff, { filter });
      expect([filter, total]).toEqual([filter, items.length]);
      expect((await list(staff, { filter, size: 1 })).total).toBe(total);
      return items.map(({ id }) => id);
    };
    const placed = [ids.unpaid, ids.closed, ids.paid, ids.partly, ids.refunded];
    const all = Object.values(ids);
    expect(await found({})).toEqual(newestFirst(all));
    expect(await found({ orderNo: ids.partly })).toEqual([ids.partly]);
    expect(await found({ orderNo: 'x' })).toEqual([]);
    const { externalUserId = '' } = (await list(staff, { filter: { orderNo: ids.paid } })).items[0] ?? {};
    const own = newestFirst([...placed, ids.reversed]);
    expect(await found({ externalUserId })).toEqual(own);
    expect(await found({ userId: buyer, externalUserId })).toEqual(own);
    expect(await found({ userId: '7', externalUserId })).toEqual([]);
    expect(await found({ externalUserId: 'none' })).toEqual([]);
    expect(await found({ type: 'REDEMPTION' })).toEqual(newestFirst(all.slice(5)));
    expect(await found({ type: 'PURCHASE' })).toEqual(newestFirst(placed));
    expect(await found({ type: 'RECHARGE' })).toEqual([]);
    expect(await found({ status: 'REFUNDED' })).toEqual(newestFirst([ids.refunded, ids.reversed]));
    expect(await found({ status: 'REFUNDED', type: 'REDEMPTION' })).toEqual([ids.reversed]);
    expect(await found({ status: 'FAILED' })).toEqual([ids.failed]);
    expect(await found({ userId: buyer, status: 'FINISHED' })).toEqual(newestFirst([ids.paid, ids.partly]));
    expect(await found({ paymentState: 'UNPAID' })).toEqual(newestFirst([ids.unpaid, ids.closed]));
    expect(await found({ paymentState: 'UNPAID', status: 'CLOSED' })).toEqual([ids.closed]);
    expect(await found({ paymentState: 'PAID' })).toEqual([ids.paid]);
    expect(await found({ paymentState: 'PARTLY_REFUNDED' })).toEqual([ids.partly]);
    expect(await found({ paymentState: 'PARTLY_REFUNDED', userId: '7' })).toEqual([]);
    expect(await found({ paymentState: 'REFUNDED' })).toEqual([ids.refunded]);
    expect(await found({ paymentState: 'REFUNDED', type: 'REDEMPTION' })).toEqual([]);
    expect(await found({ paymentState: 'PAID', status: 'CLOSED' })).toEqual([]);
    const states = (await list(staff, { filter: { userId: buyer } })).items;
    expect(new Map(states.map(({ id, paymentState }) => [id, paymentState]))).toEqual(
      new Map([
        [ids.unpaid, 'UNPAID'],
        [ids.closed, 'UNPAID'],
        [ids.paid, 'PAID'],
        [ids.partly, 'PARTLY_REFUNDED'],
        [ids.refunded, 'REFUNDED'],
        [ids.reversed, null],
      ]),
    );
  });

  it('by campaign, product line, code and time of what was redeemed', async () => {
    const { tenantId, buyer, other, campaign, second, ids } = await openTrade();
    const staff = staffOf(tenantId, 'AUDITOR');
    const found = async (filter: Record<string, unknown>, actor = staff) => {
      const { total, items } = await list(actor, { filter });
      expect([filter, total]).toEqual([filter, items.length]);
      return items.map(({ id }) => id);
    };
    const { campaignId } = campaign;
    const both = newestFirst([ids.redeemed, ids.reversed]);
    expect(await found({ campaignId })).toEqual(both);
    expect(await found({ campaignId, type: 'REDEMPTION' })).toEqual(both);
    expect(await found({ campaignId, type: 'PURCHASE' })).toEqual([]);
    expect(await found({ campaignId, paymentState: 'PAID' })).toEqual([]);
    expect(await found({ campaignId, status: 'REFUNDED' })).toEqual([ids.reversed]);
    expect(await found({ campaignId, status: 'PENDING' })).toEqual([]);
    expect(await found({ campaignId, userId: other })).toEqual([ids.redeemed]);
    expect(await found({ campaignId: 'x' })).toEqual([]);
    expect(await found({ productCode: 'APP_A' })).toEqual(newestFirst([ids.reversed, ids.elsewhere]));
    expect(await found({ productCode: 'APP_A', campaignId })).toEqual([ids.reversed]);
    expect(await found({ productCode: 'NONE' })).toEqual([]);
    expect(await found({ part: second.codes[0]?.toLowerCase() })).toEqual([ids.elsewhere]);
    expect(await found({ part: second.codes[0]?.slice(0, 6) })).toEqual([ids.elsewhere]);
    expect(await found({ part: campaign.codes[0], orderNo: ids.reversed })).toEqual([]);
    const user: Actor = { kind: 'USER', tenantId, userId: buyer };
    expect(await found({ campaignId }, user)).toEqual([ids.reversed]);
    expect(await found({ campaignId, userId: other }, user)).toEqual([ids.reversed]);
    expect(await found({ part: second.codes[0], campaignId: second.campaignId }, user)).toEqual([]);
    const all = Object.values(ids);
    const now = world.services.clock.nowMs();
    const [early, late] = [new Date(now - 3_600_000), new Date(now + 3_600_000)];
    expect(await found({ from: early, before: late })).toEqual(newestFirst(all));
    expect(await found({ from: late })).toEqual([]);
    expect(await found({ before: early, status: 'FINISHED' })).toEqual([]);
    expect(await found({ from: early, before: late, campaignId })).toEqual(both);
    expect(await found({ from: late, campaignId })).toEqual([]);
    expect(await found({ from: new Date('0000-01-01T00:00:00+14:00') })).toHaveLength(all.length);
  });

  it('in both directions, row after row, each once and none left out', async () => {
    const { tenantId, ids, campaign } = await openTrade();
    const staff = staffOf(tenantId, 'AUDITOR');
    const walk = async (variables: Record<string, unknown>): Promise<string[]> => {
      const seen: string[] = [];
      for (let after: string | null = null, isEnd = false; !isEnd;) {
        const page: Listed = await list(staff, { size: 2, after, ...variables });
        seen.push(...page.items.map(({ id }) => id));
        after = page.next;
        isEnd = after === null;
      }
      return seen;
    };
    const all = newestFirst(Object.values(ids));
    expect(await walk({})).toEqual(all);
    expect(await walk({ sort: 'OLDEST_FIRST' })).toEqual(all.toReversed());
    expect(await walk({ sort: 'OLDEST_FIRST', filter: { type: 'PURCHASE' } })).toEqual(
      [ids.unpaid, ids.closed, ids.paid, ids.partly, ids.refunded].toSorted(),
    );
    const { campaignId } = campaign;
    expect(await walk({ sort: 'OLDEST_FIRST', size: 1, filter: { campaignId } })).toEqual(
      [ids.redeemed, ids.reversed].toSorted(),
    );
  });
});

describe('S0.18 rows of a rare kind among others are found by an index, in the order of the list', () => {
  async function plansOf(tenantId: string, ways: readonly Way[]) {
    const plans = ways.map(async ({ from, fromParams = [], sql, params, id, by }) => {
      const statement = `explain format=traditional select ${id} from ${from} where ${sql} order by ${by?.column ?? id} desc limit 50`;
      return emOf(world, tenantId).execute<{ key: string | null; Extra: string | null }[]>(statement, [
        ...fromParams,
        ...params,
      ]);
    });
    return (await Promise.all(plans)).flat();
  }

  it('of orders', async () => {
    const { tenantId, buyer } = await openTrade();
    const filters: OrderFilter[] = [
      {},
      { userId: buyer },
      { from: new Date(0), before: new Date() },
      ...ORDER_TYPES.map((type) => ({ type })),
      ...ORDER_STATUSES.map((status) => ({ status })),
      ...PAYMENT_STATES.map((paymentState) => ({ paymentState })),
    ];
    for (const filter of filters)
      for (const { key, Extra } of await plansOf(tenantId, orderWays(tenantId, filter)))
        expect([filter, key, Extra ?? '']).toEqual([
          filter,
          expect.any(String),
          expect.not.stringContaining('filesort'),
        ]);
  });

  it('of redemptions', async () => {
    const { tenantId, other, campaign } = await openTrade();
    const filters: RedemptionListFilter[] = [
      {},
      { userId: other },
      { codeId: '7' },
      { campaignId: campaign.campaignId },
      { status: 'REVERSED' },
      { productCodes: ['DEMO'] },
      { productCodes: ['DEMO', 'APP_A'], status: 'COMMITTED' },
      { from: new Date(0), before: new Date() },
    ];
    for (const filter of filters)
      for (const { key, Extra } of await plansOf(tenantId, redemptionWays(tenantId, filter)))
        expect([filter, key, Extra ?? '']).toEqual([
          filter,
          expect.any(String),
          expect.not.stringContaining('filesort'),
        ]);
  });
});
