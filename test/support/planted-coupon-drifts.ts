import { UserCoupon } from '../../src/orders/coupons/user-coupon.entity.js';
import { addDollar, apply, seedCoupon, type Shop } from './coupon-world.js';
import type { PlantedDrift } from './planted-database-drifts.js';
import { grant, spend } from './points-world.js';
import type { Scene } from './reconciliation.js';
import { redeemRewards } from './reward-reversals.js';
import { emOf } from './world.js';

async function shopOf(scene: Scene): Promise<Shop> {
  const { world, tenantId, planId, users } = scene;
  await addDollar(world, tenantId);
  return { world, tenantId, planId, userId: users[0] };
}

/** An amount coupon of which an order has taken 4 of 10. */
async function usedCoupon(scene: Scene): Promise<{ readonly coupon: string; readonly orderId: string }> {
  const shop = await shopOf(scene);
  const coupon = await seedCoupon(shop, 'AMOUNT');
  const orderId = scene.world.services.ids.next();
  await apply(shop, orderId, [coupon], { total: '8' });
  return { coupon, orderId };
}

async function change(scene: Scene, table: string, assignments: string, id: string): Promise<void> {
  await scene.sql(`update ${table} set ${assignments} where tenant_id = ? and id = ?`, [scene.tenantId, id]);
}

const COUPON_DRIFTS: readonly PlantedDrift[] = [
  {
    kind: 'COUPON_BALANCE_DIFFERS',
    what: 'a balance that no entry explains',
    plant: async (s) => change(s, 'user_coupon', 'balance = 7', (await usedCoupon(s)).coupon),
  },
  {
    kind: 'COUPON_BALANCE_DIFFERS',
    what: 'a balance of a coupon that has none',
    plant: async (s) => change(s, 'user_coupon', 'balance = 1', await seedCoupon(await shopOf(s), 'RATE')),
  },
  {
    kind: 'COUPON_STATUS_DIFFERS',
    what: 'a coupon that is used up with something left',
    plant: async (s) => change(s, 'user_coupon', "status = 'USED'", (await usedCoupon(s)).coupon),
  },
  {
    kind: 'COUPON_STATUS_DIFFERS',
    what: 'a coupon that was used by an order which has not taken it',
    plant: async (s) =>
      change(
        s,
        'user_coupon',
        "status = 'USED', used_order_id = 7",
        await seedCoupon(await shopOf(s), 'RATE'),
      ),
  },
  {
    kind: 'COUPON_WITHOUT_GRANT',
    what: 'a coupon of a reward that was never granted',
    plant: async (s) =>
      change(s, 'user_coupon', 'redemption_id = 7, reward_no = 0', await seedCoupon(await shopOf(s), 'RATE')),
  },
  {
    kind: 'COUPON_BOOKING_DIFFERS',
    what: 'an order that took more than the ledger says',
    plant: async (s) => {
      const { orderId } = await usedCoupon(s);
      await s.sql('update order_coupon set amount = 5 where tenant_id = ? and order_id = ?', [
        s.tenantId,
        orderId,
      ]);
    },
  },
  {
    kind: 'COUPON_BOOKING_MISSING',
    what: 'an order without the row of its coupon',
    plant: async (s) => {
      const { orderId } = await usedCoupon(s);
      await s.sql('delete from order_coupon where tenant_id = ? and order_id = ?', [s.tenantId, orderId]);
    },
  },
  {
    kind: 'ISSUED_COUPONS_DIFFER',
    what: 'a template that counts a coupon too many',
    plant: async (s) => {
      await usedCoupon(s);
      await s.sql('update coupon_template set issued = issued + 1 where tenant_id = ?', [s.tenantId]);
    },
  },
  {
    kind: 'COUPON_MISSING',
    what: 'a granted coupon that is of another user',
    plant: async (s) => {
      const shop = await shopOf(s);
      const coupon = await seedCoupon(shop, 'AMOUNT');
      const { templateId } = await emOf(s.world, s.tenantId).findOneOrFail(UserCoupon, { id: coupon });
      const redemptionId = await redeemRewards(shop, [{ type: 'COUPON', id: templateId }]);
      await s.sql('update user_coupon set user_id = ? where tenant_id = ? and redemption_id = ?', [
        s.users[1],
        s.tenantId,
        redemptionId,
      ]);
    },
  },
];

const ofLots = (assignments: string): string => `update points_lot set ${assignments} where tenant_id = ?`;

const POINTS_DRIFTS: readonly PlantedDrift[] = [
  {
    kind: 'POINTS_BALANCE_DIFFERS',
    what: 'an account that counts a point too many',
    plant: async (s) => {
      await grant(await shopOf(s), 10);
      await s.sql('update points_account set balance = balance + 1 where tenant_id = ?', [s.tenantId]);
    },
  },
  {
    kind: 'POINTS_BALANCE_DIFFERS',
    what: 'an entry that is gone',
    plant: async (s) => {
      await grant(await shopOf(s), 10);
      await s.sql('delete from points_ledger where tenant_id = ?', [s.tenantId]);
    },
  },
  {
    kind: 'POINTS_ACCOUNT_MISSING',
    what: 'an account that is gone',
    plant: async (s) => {
      await grant(await shopOf(s), 10);
      await s.sql('delete from points_account where tenant_id = ?', [s.tenantId]);
    },
  },
  {
    kind: 'SPENT_POINTS_DIFFER',
    what: 'points that an order has spent, and the lot does not know of',
    plant: async (s) => {
      const shop = await shopOf(s);
      await grant(shop, 10);
      await spend(shop, s.world.services.ids.next(), 4);
      await s.sql(ofLots('spent = spent - 1'), [s.tenantId]);
    },
  },
  {
    kind: 'POINTS_WITHOUT_GRANT',
    what: 'points of a reward that was never granted',
    plant: async (s) => {
      await grant(await shopOf(s), 10);
      await s.sql(ofLots('redemption_id = 7, reward_no = 0'), [s.tenantId]);
    },
  },
  {
    kind: 'POINTS_MISSING',
    what: 'granted points that are of another user',
    plant: async (s) => {
      const shop = await shopOf(s);
      await redeemRewards(shop, [{ type: 'POINTS', amount: '10' }]);
      // With their account and entry, so that only the grant tells.
      for (const table of ['points_account', 'points_ledger', 'points_lot'])
        await s.sql(`update ${table} set user_id = ? where tenant_id = ?`, [s.users[1], s.tenantId]);
    },
  },
];

/** What the database holds wrongly of coupons and points. */
export const HOLDING_DRIFTS: readonly PlantedDrift[] = [...COUPON_DRIFTS, ...POINTS_DRIFTS];
