import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Order, type OrderStatus } from '../../src/orders/orders/order.entity.js';
import { redeemed, reverse } from '../support/reversals.js';
import { emOf, openWorld, seedCampaign, seedTenant, seedUser, type World } from '../support/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => world.close());

async function seeded() {
  const tenant = await seedTenant(world);
  const { codes } = await seedCampaign(world, tenant, 3);
  const [a = '', b = '', c = ''] = codes;
  return { ...tenant, codes: [a, b, c] as const, userId: await seedUser(world, tenant.tenantId) };
}

const orderOf = async (tenantId: string, id: string) =>
  emOf(world, tenantId).findOneOrFail(Order, { id }, { disableIdentityMap: true });

/** A purchase, as its payment leaves it. */
async function purchase(tenantId: string, userId: string, status: OrderStatus): Promise<void> {
  const { orders, ids } = world.services;
  const em = emOf(world, tenantId);
  const isNew = !(await orders.usersWithPaidOrder(em, tenantId, [userId])).has(userId);
  await em.execute(
    `insert into \`order\` (tenant_id, id, user_id, type, status, amount, is_new, created_at)
      values (?, ?, ?, 'PURCHASE', ?, 9.9, ?, now(3))`,
    [tenantId, ids.next(), userId, status, isNew],
  );
}

const purchases = async (tenantId: string, userId: string) => {
  const found = await emOf(world, tenantId).find(
    Order,
    { userId, type: 'PURCHASE' },
    { orderBy: { id: 'asc' }, disableIdentityMap: true },
  );
  return found.map(({ isNew }) => isNew);
};

describe('S0.15 being new', () => {
  it('holds for each redemption before the first purchase, and costs nothing', async () => {
    const { tenantId, userId, codes } = await seeded();
    for (const code of codes.slice(0, 2)) {
      const { id } = await redeemed(world, tenantId, userId, code);
      expect(await orderOf(tenantId, id)).toMatchObject({
        type: 'REDEMPTION',
        isNew: true,
        amount: '0.0000000000',
      });
    }
  });

  it('is not used up by redemptions: the first purchase still counts as new, the second does not', async () => {
    const { tenantId, userId, codes } = await seeded();
    await redeemed(world, tenantId, userId, codes[0]);
    await purchase(tenantId, userId, 'FINISHED');
    await purchase(tenantId, userId, 'FINISHED');
    expect(await purchases(tenantId, userId)).toEqual([true, false]);
  });

  it('is over for redemptions after a purchase was paid, and not after one that is pending or was closed', async () => {
    const { tenantId, userId, codes } = await seeded();
    for (const status of ['PENDING', 'CLOSED', 'FAILED'] as const) await purchase(tenantId, userId, status);
    const first = await redeemed(world, tenantId, userId, codes[0]);
    expect(await orderOf(tenantId, first.id)).toMatchObject({ isNew: true });
    await purchase(tenantId, userId, 'PAID');
    const second = await redeemed(world, tenantId, userId, codes[1]);
    expect(await orderOf(tenantId, second.id)).toMatchObject({ isNew: false });
  });

  it('is not changed by a reversal, before or after the purchase', async () => {
    const { tenantId, userId, codes } = await seeded();
    const before = await redeemed(world, tenantId, userId, codes[0]);
    await reverse(world, tenantId, before.id, { spent: 'DEBT' });
    await purchase(tenantId, userId, 'FINISHED');
    const after = await redeemed(world, tenantId, userId, codes[1]);
    await reverse(world, tenantId, after.id, { spent: 'DEBT' });
    await purchase(tenantId, userId, 'FINISHED');
    expect(await orderOf(tenantId, before.id)).toMatchObject({ isNew: true, status: 'REFUNDED' });
    expect(await orderOf(tenantId, after.id)).toMatchObject({ isNew: false, status: 'REFUNDED' });
    expect(await purchases(tenantId, userId)).toEqual([true, false]);
  });
});
