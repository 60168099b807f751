import { Currency } from '../../src/money/currency.entity.js';
import { CouponLedger, OrderCoupon } from '../../src/orders/coupons/coupon-ledger.entity.js';
import type { CouponKind } from '../../src/orders/coupons/coupon-template.entity.js';
import { UserCoupon } from '../../src/orders/coupons/user-coupon.entity.js';
import { Money } from '../../src/platform/decimal.js';
import { DomainError } from '../../src/platform/errors.js';
import type { Em } from '../../src/platform/database/orm.js';
import { emOf, seedTenant, seedUser, type World } from './world.js';

export const DAY_MS = 86_400_000;
export const later = (days: number): Date => new Date(Date.now() + days * DAY_MS);

/** A tenant with the currency USD and one user. */
export interface Shop {
  readonly world: World;
  readonly tenantId: string;
  readonly planId: string;
  readonly userId: string;
}

export async function openShop(world: World): Promise<Shop> {
  const { tenantId, planId } = await seedTenant(world);
  await addDollar(world, tenantId);
  return { world, tenantId, planId, userId: await seedUser(world, tenantId) };
}

export async function addDollar(world: World, tenantId: string): Promise<void> {
  await emOf(world, tenantId).insert(Currency, {
    tenantId,
    code: 'USD',
    name: 'Dollar',
    scale: 2,
    feeRate: '0',
    enabled: true,
    version: 1,
    createdAt: new Date(),
  });
}

/** Terms that are enough for each kind. */
const TERMS: Readonly<Record<CouponKind, object>> = {
  AMOUNT: { amount: '10' },
  THRESHOLD: { amount: '5', minimum: '20' },
  RATE: { rateMille: 100 },
};

export async function seedTemplate(
  { world, tenantId }: Shop,
  kind: CouponKind,
  terms: object = {},
): Promise<string> {
  const wanted = { name: kind, kind, currency: 'USD', ...TERMS[kind], ...terms };
  return (await world.services.couponTemplates.create(tenantId, wanted)).id;
}

/** One coupon of the shop's user. */
export async function seedCoupon(shop: Shop, kind: CouponKind, terms: object = {}): Promise<string> {
  const { world, tenantId, userId } = shop;
  const templateId = await seedTemplate(shop, kind, terms);
  const { coupons } = await world.services.couponIssues.issue(tenantId, { templateId, userId });
  return coupons[0]?.id ?? '';
}

/** Work on an order, in a transaction of its own. */
export async function within<T>({ world, tenantId }: Shop, work: (em: Em) => Promise<T>): Promise<T> {
  return world.services.transactions.run(tenantId, work);
}

/** The code of the refusal that the work ended in; DONE where it was done. */
export async function refusalOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'DONE';
  } catch (error) {
    if (error instanceof DomainError) return String(error.code);
    throw error;
  }
}

export async function apply(
  shop: Shop,
  orderId: string,
  couponIds: readonly string[],
  order: { total?: string; currency?: string; scale?: number; now?: Date } = {},
) {
  const { now = new Date(), ...rest } = order;
  const { tenantId, userId } = shop;
  const whole = { tenantId, orderId, userId, currency: 'USD', total: '100', scale: 2, ...rest };
  return within(shop, async (em) => shop.world.services.coupons.apply(em, whole, couponIds, now));
}

export async function giveBack(
  shop: Shop,
  orderId: string,
  cause: 'TIMEOUT' | 'CANCELLED' | 'REFUNDED' = 'TIMEOUT',
  now: Date = new Date(),
) {
  return within(shop, async (em) =>
    shop.world.services.coupons.giveBack(em, shop.tenantId, orderId, cause, now),
  );
}

export async function consume(shop: Shop, orderId: string): Promise<void> {
  return within(shop, async (em) =>
    shop.world.services.coupons.consume(em, shop.tenantId, orderId, new Date()),
  );
}

/** A coupon's state, with amounts without zeros at their ends. */
export async function couponState({ world, tenantId }: Shop, id: string) {
  const em = emOf(world, tenantId);
  const { status, balance, reservedOrderId, usedOrderId } = await em.findOneOrFail(UserCoupon, { id });
  return { status, balance: new Money(balance).toFixed(), reservedOrderId, usedOrderId };
}

/** The coupon's ledger, oldest first, in words such as `USAGE -10`. */
export async function ledgerOf({ world, tenantId }: Shop, couponId: string): Promise<string[]> {
  const em = emOf(world, tenantId);
  const entries = await em.find(CouponLedger, { couponId }, { orderBy: { id: 'asc' } });
  return entries.map(({ action, amount }) => `${action} ${new Money(amount).toFixed()}`);
}

export async function orderCouponsOf({ world, tenantId }: Shop, orderId: string): Promise<string[]> {
  const rows = await emOf(world, tenantId).find(OrderCoupon, { orderId }, { orderBy: { couponId: 'asc' } });
  return rows.map(({ couponId, amount }) => `${couponId} ${new Money(amount).toFixed()}`);
}
