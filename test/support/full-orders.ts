import { expect } from 'vitest';
import { expectClean, giveCoupon, givePoints, holdingsOf, openShop, shopper, type Shop } from './orders.js';
import type { World } from './world.js';

/** What is to be paid of {@link FullOrder}: 100 without 10 and 5 by coupons, and 1 by points. */
export const FULL_AMOUNT = 84;
const FULL_POINTS = 100;

/** What a user has and wants who orders with everything that an order can hold. */
export interface FullOrder {
  readonly shop: Shop;
  readonly userId: string;
  /** Of an amount of 10, and of a rate of 5 %. */
  readonly couponIds: readonly [string, string];
  readonly input: { readonly couponIds: readonly string[]; readonly points: number };
}

/** @param balance of the user */
export async function wantFull(world: World, shop: Shop, balance = FULL_AMOUNT): Promise<FullOrder> {
  const userId = await shopper(world, shop, String(balance));
  await givePoints(world, shop, userId, FULL_POINTS);
  const couponIds = [
    await giveCoupon(world, shop, userId, { kind: 'AMOUNT', amount: '10' }),
    await giveCoupon(world, shop, userId, { kind: 'RATE', rateMille: 50 }),
  ] as const;
  return { shop, userId, couponIds, input: { couponIds, points: FULL_POINTS } };
}

/** The same in a shop of its own. */
export async function wantFullAlone(
  world: World,
  plan: Record<string, unknown> = {},
  balance = FULL_AMOUNT,
): Promise<FullOrder> {
  return wantFull(world, await openShop(world, plan), balance);
}

/** Expects that the user has all that the order took, and this balance. */
export async function expectHoldings(
  world: World,
  { shop, userId, couponIds: [amount, rate] }: FullOrder,
  balance: number,
): Promise<void> {
  expect(await holdingsOf(world, shop, userId)).toEqual({
    balance,
    points: FULL_POINTS,
    coupons: { [amount]: 'AVAILABLE 10', [rate]: 'AVAILABLE 0' },
  });
}

/** The same where the balance paid for it, or would have; and reconciliation has nothing to say. */
export async function expectAllBack(world: World, full: FullOrder): Promise<void> {
  await expectHoldings(world, full, FULL_AMOUNT);
  await expectClean(world, full.shop);
}
