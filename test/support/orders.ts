import { expect } from 'vitest';
import type { Order } from '../../src/orders/orders/order.entity.js';
import { DomainError } from '../../src/platform/errors.js';
import { emOf, seedTenant, seedUser, type World } from './world.js';

/** A tenant with one currency of two digits, one facility, and a plan of 100 a month. */
export interface Shop {
  readonly tenantId: string;
  readonly planId: string;
  readonly facilityId: string;
}

export const CURRENCY = 'USD';

export async function openShop(world: World, plan: Record<string, unknown> = {}): Promise<Shop> {
  const seeded = await seedTenant(world, { unitPrice: '100', ...plan });
  const { facilities, currencies } = world.services;
  const facility = await facilities.create(seeded.tenantId, { name: 'Shop' });
  await currencies.create(seeded.tenantId, { code: CURRENCY, name: 'Dollar', scale: 2 });
  return { ...seeded, facilityId: facility.id };
}

/** A user with this balance. */
export async function shopper(world: World, shop: Shop, balance = '0'): Promise<string> {
  const userId = await seedUser(world, shop.tenantId);
  if (Number(balance) > 0) await fund(world, shop, userId, balance);
  return userId;
}

export async function fund(world: World, shop: Shop, userId: string, amount: string): Promise<void> {
  const { tenantId, facilityId } = shop;
  const change = { userId, facilityId, currency: CURRENCY, amount, orderId: world.services.ids.next() };
  await world.services.accounts.adjust(tenantId, 'eve', { ...change, remark: 'Funds of a test' });
}

export interface CouponTerms {
  readonly kind: 'AMOUNT' | 'THRESHOLD' | 'RATE';
  readonly amount?: string;
  readonly minimum?: string;
  readonly rateMille?: number;
}

/** @returns the id of a coupon of the user */
export async function giveCoupon(
  world: World,
  shop: Shop,
  userId: string,
  terms: CouponTerms,
): Promise<string> {
  const { couponTemplates, couponIssues } = world.services;
  const template = await couponTemplates.create(shop.tenantId, {
    name: 'Coupon',
    currency: CURRENCY,
    ...terms,
  });
  const { coupons } = await couponIssues.issue(shop.tenantId, { templateId: template.id, userId });
  const [coupon] = coupons;
  if (coupon === undefined) throw new Error('No coupon was issued.');
  return coupon.id;
}

export async function givePoints(world: World, shop: Shop, userId: string, amount: number): Promise<void> {
  await world.services.pointsGrants.grant(shop.tenantId, { userId, amount });
}

/** Places an order of the shop's plan. */
export async function place(
  world: World,
  shop: Shop,
  userId: string,
  input: Record<string, unknown> = {},
): Promise<Order> {
  const order = { type: 'PURCHASE', planId: shop.planId, ...input };
  return world.services.placements.place(shop.tenantId, userId, order);
}

/** Makes the time of orders run out this long ago, all of the tenant's without ids. */
export async function expire(world: World, shop: Shop, ids: readonly string[] = [], ago = 1): Promise<void> {
  const named = ids.length === 0 ? '' : 'and order_id in (?)';
  await rowsOf(
    world,
    shop,
    `update order_placement set due_at = utc_timestamp(3) - interval ${ago} second
      where tenant_id = :tenant and due_at is not null ${named}`,
    [ids],
  );
}

export async function orderOf(world: World, { tenantId }: Shop, id: string): Promise<Order> {
  const order = await world.services.orders.find(tenantId, id, null);
  if (order === null) throw new Error(`There is no order ${id}.`);
  return order;
}

/** What is left of the shop's plan; -1 where it is unlimited. */
export async function inventoryOf(world: World, shop: Shop): Promise<number | undefined> {
  const sql = 'select inventory from plan where tenant_id = :tenant and id = ?';
  const [plan] = await rowsOf<{ inventory: number }>(world, shop, sql, [shop.planId]);
  return plan?.inventory;
}

/** The code of the refusal, or null where the work is done. */
export async function refusalOf(work: Promise<unknown>): Promise<string | null> {
  try {
    await work;
    return null;
  } catch (error) {
    if (error instanceof DomainError) return String(error.code);
    throw error;
  }
}

/** What a statement answers; `:tenant` stands for the tenant. */
export async function rowsOf<Row = Record<string, unknown>>(
  world: World,
  { tenantId }: Pick<Shop, 'tenantId'>,
  sql: string,
  params: readonly unknown[] = [],
): Promise<Row[]> {
  const given = [...params];
  const all: unknown[] = [];
  const text = sql.replace(/:tenant\b|\?/g, (mark) => {
    all.push(mark === '?' ? given.shift() : tenantId);
    return '?';
  });
  return emOf(world, tenantId).execute<Row[]>(text, all);
}

/** What a user has: money, points, and coupons by id as `STATUS balance`. */
export interface Holdings {
  readonly balance: number;
  readonly points: number;
  readonly coupons: Readonly<Record<string, string>>;
}

export async function holdingsOf(world: World, shop: Shop, userId: string): Promise<Holdings> {
  const coupons = await rowsOf<{ id: string; status: string; balance: string }>(
    world,
    shop,
    'select cast(id as char) as id, status, balance from user_coupon where tenant_id = :tenant and user_id = ?',
    [userId],
  );
  const [money] = await rowsOf<{ sum: string | null }>(
    world,
    shop,
    'select sum(balance) as sum from money_account where tenant_id = :tenant and user_id = ?',
    [userId],
  );
  const { balance: points } = await world.services.pointsReader.of(shop.tenantId, userId);
  const shown = coupons.map(({ id, status, balance }) => [id, `${status} ${Number(balance)}`] as const);
  return { balance: Number(money?.sum ?? 0), points, coupons: Object.fromEntries(shown) };
}

/** Everything that belongs to orders, to the letter: what a refusal must leave as it was. */
export async function contentsOf(world: World, shop: Pick<Shop, 'tenantId'>): Promise<unknown> {
  const tables = [
    'order',
    'order_placement',
    'order_payment',
    'order_refund',
    'order_coupon',
    'coupon_ledger',
    'user_coupon',
    'points_account',
    'points_lot',
    'points_ledger',
    'order_points',
    'money_account',
    'money_entry',
    'system_entry',
    'subscription',
    'plan',
    'outbox_event',
  ];
  const contents = await Promise.all(
    tables.map(async (table) => {
      const sql = `select * from \`${table}\` where tenant_id = :tenant order by 2, 3`;
      return [table, await rowsOf(world, shop, sql)] as const;
    }),
  );
  return Object.fromEntries(contents);
}

/** How often each action is in the ledgers of an order. */
export async function ledgerOf(world: World, shop: Shop, orderId: string): Promise<Record<string, number>> {
  const rows = await rowsOf<{ action: string; times: number }>(
    world,
    shop,
    `select action, count(*) as times from (
        select concat('COUPON_', action) as action from coupon_ledger where tenant_id = :tenant and order_id = ?
        union all select concat('POINTS_', action) from points_ledger where tenant_id = :tenant and order_id = ?) l
      group by action`,
    [orderId, orderId],
  );
  return Object.fromEntries(rows.map(({ action, times }) => [action, times]));
}

/** Expects that reconciliation has nothing to say of the tenant. */
export async function expectClean(world: World, { tenantId }: Shop): Promise<void> {
  const { reconcilerOf, driftsOf } = await import('./reconciliation.js');
  expect(driftsOf(await reconcilerOf(world).reconciler.run({ tenantId, repair: false }))).toEqual({});
}
