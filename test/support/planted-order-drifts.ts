import { CURRENCY, fund, giveCoupon, place, type Shop } from './orders.js';
import type { PlantedDrift } from './planted-database-drifts.js';
import type { Scene } from './reconciliation.js';

/** The first user of the scene, at a shop, with enough for an order. */
async function opened({ world, tenantId, planId, users: [userId] }: Scene) {
  const { facilities, currencies } = world.services;
  await currencies.create(tenantId, { code: CURRENCY, name: 'Dollar', scale: 2 });
  const { id: facilityId } = await facilities.create(tenantId, { name: 'Shop' });
  const shop: Shop = { tenantId, planId, facilityId };
  await fund(world, shop, userId, '50');
  return { shop, userId };
}

async function closedOrder(scene: Scene): Promise<string> {
  const { world, tenantId } = scene;
  const { shop, userId } = await opened(scene);
  const couponIds = [await giveCoupon(world, shop, userId, { kind: 'RATE', rateMille: 100 })];
  const { id } = await place(world, shop, userId, { couponIds });
  await world.services.orderClosing.cancel(tenantId, id, null);
  return id;
}

async function paidOrder(scene: Scene): Promise<string> {
  const { world, tenantId } = scene;
  const { shop, userId } = await opened(scene);
  const { id } = await place(world, shop, userId);
  await world.services.payments.pay(tenantId, userId, id);
  return id;
}

async function refundedOrder(scene: Scene): Promise<string> {
  const id = await paidOrder(scene);
  await scene.world.services.refunds.refund(scene.tenantId, 'eve', { orderNo: id, reason: 'x', amount: '1' });
  return id;
}

/** Changes rows of an order by hand. */
async function change({ sql, tenantId }: Scene, id: string, statement: string): Promise<void> {
  await sql(statement, [tenantId, id]);
}

/** What orders hold wrongly. */
export const ORDER_DRIFTS: readonly PlantedDrift[] = [
  {
    kind: 'ORDER_COUPONS_NOT_BACK',
    what: 'a closed order whose coupon has nothing from it',
    plant: async (s) =>
      change(
        s,
        await closedOrder(s),
        `delete from coupon_ledger where tenant_id = ? and order_id = ? and action = 'REFUND'`,
      ),
  },
  {
    kind: 'ORDER_POINTS_NOT_BACK',
    what: 'a closed order with points that were not given back',
    plant: async (s) =>
      change(s, await closedOrder(s), 'update `order` set points_spent = 5 where tenant_id = ? and id = ?'),
  },
  {
    kind: 'ORDER_PAYMENT_DIFFERS',
    what: 'a paid order without its payment',
    plant: async (s) =>
      change(s, await paidOrder(s), 'delete from order_payment where tenant_id = ? and order_id = ?'),
  },
  {
    kind: 'ORDER_PAYMENT_DIFFERS',
    what: 'a closed order with a payment that was accepted',
    plant: async (s) =>
      change(
        s,
        await closedOrder(s),
        `insert into order_payment (tenant_id, id, order_id, method, payment_no, amount, currency, outcome, created_at)
          select tenant_id, 7, id, 'CALLBACK', 'x', amount, currency, 'ACCEPTED', created_at from \`order\`
           where tenant_id = ? and id = ?`,
      ),
  },
  {
    kind: 'ORDER_REFUNDS_DIFFER',
    what: 'an order that says it refunded more',
    plant: async (s) =>
      change(
        s,
        await refundedOrder(s),
        'update `order` set refunded = refunded + 1 where tenant_id = ? and id = ?',
      ),
  },
  {
    kind: 'ORDER_OVERDUE',
    what: 'an order that should have been closed hours ago',
    plant: async (s) => {
      const { shop, userId } = await opened(s);
      const { id } = await place(s.world, shop, userId);
      await change(
        s,
        id,
        `update order_placement set due_at = utc_timestamp(3) - interval 2 hour where tenant_id = ? and order_id = ?`,
      );
    },
  },
  {
    kind: 'ORDER_DEADLINE_STALE',
    what: 'a closed order that is to be closed',
    plant: async (s) =>
      change(
        s,
        await closedOrder(s),
        `update order_placement set due_at = utc_timestamp(3) + interval 1 hour where tenant_id = ? and order_id = ?`,
      ),
  },
  {
    kind: 'PAYMENT_UNBOOKED',
    what: 'a payment of more than the ledger took',
    plant: async (s) =>
      change(
        s,
        await paidOrder(s),
        'update order_payment set amount = amount + 1 where tenant_id = ? and order_id = ?',
      ),
  },
  {
    kind: 'REFUND_UNBOOKED',
    what: 'a refund that the ledger does not know',
    plant: async (s) =>
      change(
        s,
        await refundedOrder(s),
        'update order_refund set refund_no = 7 where tenant_id = ? and order_id = ?',
      ),
  },
  {
    kind: 'COUPON_RESERVATION_STALE',
    what: 'a coupon that is reserved by an order which is gone',
    plant: async (s) => {
      const { shop, userId } = await opened(s);
      const couponIds = [await giveCoupon(s.world, shop, userId, { kind: 'RATE', rateMille: 100 })];
      const { id } = await place(s.world, shop, userId, { couponIds });
      await change(s, id, 'delete from `order` where tenant_id = ? and id = ?');
      await change(s, id, 'delete from order_placement where tenant_id = ? and order_id = ?');
    },
  },
];
