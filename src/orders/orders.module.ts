import { externalUserIdOf, type ExternalUserIds, type UserHolding } from '../identity/identity.module.js';
import type { UserService } from '../identity/users/user.service.js';
import { EMPTY_PAGE } from '../platform/database/find-page.js';
import type { RewardHandler } from '../rewards/reward-handler.js';
import type { RewardType } from '../rewards/reward-rule.js';
import { composeCoupons, COUPON_ENTITIES, COUPON_RESOLVERS } from './coupons/compose-coupons.js';
import { COUPON_CHECKS } from './coupons/coupon.checks.js';
import { currencyScalesOf } from './currency-scales.js';
import { composeOrders, ORDER_ENTITIES, ORDER_RESOLVERS, type OrderNeeds } from './orders/compose-orders.js';
import { OrderDetails } from './orders/order-details.js';
import { ORDER_CHECKS } from './orders/order.checks.js';
import { OrderResolver } from './orders/order.resolver.js';
import { ORDER_HOLDINGS } from './user-holdings.js';
import { OrderService, type DeferredOrders, type RedeemedOrders } from './orders/order.service.js';
import { OrderClosedEvent, OrderObjectType } from './orders/order.types.js';
import { composePoints, POINTS_ENTITIES, POINTS_RESOLVERS } from './points/compose-points.js';
import { POINTS_CHECKS } from './points/points.checks.js';
import { ORDER_PERMISSIONS } from './orders.permissions.js';

interface Needs extends OrderNeeds {
  readonly users: UserService;
  readonly externalUserIds: ExternalUserIds;
  readonly handlers: Map<RewardType, RewardHandler>;
  readonly userHoldings: UserHolding[];
}

const OrderUser = externalUserIdOf(OrderObjectType);
const EventUser = externalUserIdOf(OrderClosedEvent);

/** Orders of users, and what is taken off them: coupons and points. */
export const orders = {
  name: 'orders',
  entities: [...ORDER_ENTITIES, ...COUPON_ENTITIES, ...POINTS_ENTITIES],
  resolvers: [
    OrderResolver,
    OrderUser,
    EventUser,
    ...ORDER_RESOLVERS,
    ...COUPON_RESOLVERS,
    ...POINTS_RESOLVERS,
  ],
  permissions: ORDER_PERMISSIONS,
  checks: [...ORDER_CHECKS, ...COUPON_CHECKS, ...POINTS_CHECKS],
  compose: (its: Needs) => {
    const { config, orm, readOrm, externalUserIds, users } = its;
    const service = new OrderService(orm, config.STORE_TIMEOUT_MS, readOrm);
    /** Orders of redemptions that are PROCESSING; the redemption sets it. */
    const deferredOrders: { find: DeferredOrders } = { find: async () => null };
    /** Orders by what only redemptions know; the redemption sets it, too. */
    const redeemedOrders: { list: RedeemedOrders } = { list: async () => EMPTY_PAGE };
    const redeemed: RedeemedOrders = async (...asked) => redeemedOrders.list(...asked);
    const deferred: DeferredOrders = async (tenantId, orderNo) => deferredOrders.find(tenantId, orderNo);
    const coupons = composeCoupons({
      ...its,
      currencyScales: currencyScalesOf(orm),
      sharePercent: config.ORDER_COUPON_SHARE_MAX_PERCENT,
    });
    const points = composePoints(its);
    for (const { handler } of [coupons, points]) its.handlers.set(handler.type, handler);
    its.userHoldings.push(...ORDER_HOLDINGS);
    const discounts = { ...coupons.services, ...points.services };
    const placed = composeOrders({ ...its, ...discounts, orders: service });
    return {
      services: { orders: service, deferredOrders, redeemedOrders, ...discounts, ...placed.services },
      resolvers: [
        new OrderResolver(service, new OrderDetails(readOrm), deferred, { readOrm, users, redeemed }),
        new OrderUser(externalUserIds),
        new EventUser(externalUserIds),
        ...placed.resolvers,
        ...coupons.resolvers,
        ...points.resolvers,
      ],
      jobs: [...coupons.jobs, ...points.jobs, ...placed.jobs],
      routes: placed.routes,
    };
  },
};
