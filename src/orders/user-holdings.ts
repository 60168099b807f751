import type { UserHolding } from '../identity/identity.module.js';
import { UserCoupon } from './coupons/user-coupon.entity.js';
import { Order } from './orders/order.entity.js';
import { PointsAccount } from './points/points.entity.js';

/** What a user owns of orders, coupons and points. An order that is not paid yet may be paid at any moment. */
export const ORDER_HOLDINGS: readonly UserHolding[] = [
  {
    name: 'points',
    isHeld: async (em, _tenantId, userId) =>
      (await em.count(PointsAccount, { userId, balance: { $gt: 0 } })) > 0,
  },
  {
    name: 'a coupon',
    isHeld: async (em, _tenantId, userId, now) => {
      const valid = { $or: [{ expiresAt: null }, { expiresAt: { $gt: now } }] };
      const status = { $in: ['AVAILABLE', 'RESERVED'] as const };
      return (await em.count(UserCoupon, { userId, status, ...valid })) > 0;
    },
  },
  {
    name: 'an order that is not paid yet',
    isHeld: async (em, _tenantId, userId) => (await em.count(Order, { userId, status: 'PENDING' })) > 0,
  },
];
