import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { loseNextCommit } from '../support/failing-statements.js';
import {
  expectClean,
  fund,
  holdingsOf,
  inventoryOf,
  openShop,
  orderOf,
  place,
  shopper,
} from '../support/orders.js';
import { openWorld, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => world?.close());
afterEach(() => vi.restoreAllMocks());

/** A user with 100, and an order of 100. */
async function placed() {
  const shop = await openShop(world, { inventory: 1 });
  const userId = await shopper(world, shop, '100');
  const { id } = await place(world, shop, userId);
  return { shop, userId, id };
}

describe.each([
  ['whose reply was lost', true],
  ['that was lost', false],
])('a COMMIT %s', (_, isApplied) => {
  it('of a payment pays once', async () => {
    const { shop, userId, id } = await placed();
    loseNextCommit(world, { isApplied });
    expect((await world.services.payments.pay(shop.tenantId, userId, id)).status).toBe('FINISHED');
    expect((await holdingsOf(world, shop, userId)).balance).toBe(0);
    await expectClean(world, shop);
  });

  it('of a cancellation gives the inventory back once', async () => {
    const { shop, userId, id } = await placed();
    loseNextCommit(world, { isApplied });
    await world.services.orderClosing.cancel(shop.tenantId, id, userId);
    expect((await orderOf(world, shop, id)).status).toBe('CLOSED');
    expect(await inventoryOf(world, shop)).toBe(1);
    await expectClean(world, shop);
  });

  it.each([['k'], [undefined]])('of a refund of a part refunds it once, with the key %s', async (key) => {
    const { shop, userId, id } = await placed();
    await world.services.payments.pay(shop.tenantId, userId, id);
    loseNextCommit(world, { isApplied });
    const input = { orderNo: id, reason: 'No', amount: '10', idempotencyKey: key };
    const { refund, order } = await world.services.refunds.refund(shop.tenantId, 'eve', input);
    expect([Number(refund.amount), Number(order.refunded)]).toEqual([10, 10]);
    expect((await holdingsOf(world, shop, userId)).balance).toBe(10);
    await expectClean(world, shop);
  });

  it('of a whole refund answers the refund, without a key', async () => {
    const { shop, userId, id } = await placed();
    await world.services.payments.pay(shop.tenantId, userId, id);
    loseNextCommit(world, { isApplied });
    const { order } = await world.services.refunds.refund(shop.tenantId, 'eve', {
      orderNo: id,
      reason: 'No',
    });
    expect(order.status).toBe('REFUNDED');
    expect((await holdingsOf(world, shop, userId)).balance).toBe(100);
    await expectClean(world, shop);
  });
});

it('placements of an unlimited plan do not wait for each other, and none is run again', async () => {
  const shop = await openShop(world);
  // A process that has the plan in its cache shares the plan's row.
  await world.services.plans.find(shop.tenantId, shop.planId);
  const users = await Promise.all(Array.from({ length: 16 }, async () => shopper(world, shop)));
  const rollback = vi.spyOn(world.stores.orm.em.getConnection(), 'rollback');
  const orders = await Promise.all(users.map(async (userId) => place(world, shop, userId)));
  expect(orders.map(({ status }) => status)).toEqual(users.map(() => 'PENDING'));
  expect(rollback).not.toHaveBeenCalled();
});

it('a renewal whose subscription was taken back meanwhile is not delivered as a new one', async () => {
  const { shop, userId, id } = await placed();
  await world.services.payments.pay(shop.tenantId, userId, id);
  const renewal = await place(world, shop, userId, { type: 'RENEWAL' });
  await world.services.refunds.refund(shop.tenantId, 'eve', { orderNo: id, reason: 'No' });
  await fund(world, shop, userId, '100');
  await expect(world.services.payments.pay(shop.tenantId, userId, renewal.id)).rejects.toMatchObject({
    code: 'SUBSCRIPTION_NOT_FOUND',
  });
  expect((await orderOf(world, shop, renewal.id)).status).toBe('PENDING');
  expect((await holdingsOf(world, shop, userId)).balance).toBe(200);
  await expectClean(world, shop);
});
