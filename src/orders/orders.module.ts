import type { Config } from '../config.js';
import { externalUserIdOf, type ExternalUserIds } from '../identity/identity.module.js';
import { composeCoupons, COUPON_ENTITIES, COUPON_RESOLVERS } from './coupons/compose-coupons.js';
import { COUPON_CHECKS } from './coupons/coupon.checks.js';
import { currencyScalesOf } from './currency-scales.js';
import { Order } from './orders/order.entity.js';
import { OrderResolver } from './orders/order.resolver.js';
import { OrderService, type DeferredOrders } from './orders/order.service.js';
import type { PlatformServices } from '../platform/platform-services.js';
import { OrderObjectType } from './orders/order.types.js';
import { composePoints, POINTS_ENTITIES, POINTS_RESOLVERS } from './points/compose-points.js';
import { POINTS_CHECKS } from './points/points.checks.js';
import type { RewardHandler } from '../rewards/reward-handler.js';
import type { RewardType } from '../rewards/reward-rule.js';

interface Needs extends Pick<PlatformServices, 'orm' | 'readOrm' | 'ids' | 'clock' | 'transactions' | 'log'> {
  readonly config: Config;
  readonly externalUserIds: ExternalUserIds;
  readonly handlers: Map<RewardType, RewardHandler>;
}

const OrderUser = externalUserIdOf(OrderObjectType);

/** Orders of users, and what is taken off them: coupons and points. */
export const orders = {
  name: 'orders',
  entities: [Order, ...COUPON_ENTITIES, ...POINTS_ENTITIES],
  resolvers: [OrderResolver, OrderUser, ...COUPON_RESOLVERS, ...POINTS_RESOLVERS],
  checks: [...COUPON_CHECKS, ...POINTS_CHECKS],
  compose: (its: Needs) => {
    const { config, orm, readOrm, externalUserIds } = its;
    const service = new OrderService(orm, config.STORE_TIMEOUT_MS, readOrm);
    /** Orders of redemptions that are PROCESSING; the redemption sets it. */
    const deferredOrders: { find: DeferredOrders } = { find: async () => null };
    const deferred: DeferredOrders = async (tenantId, orderNo) => deferredOrders.find(tenantId, orderNo);
    const coupons = composeCoupons({
      ...its,
      currencyScales: currencyScalesOf(orm),
      sharePercent: config.ORDER_COUPON_SHARE_MAX_PERCENT,
    });
    const points = composePoints(its);
    for (const { handler } of [coupons, points]) its.handlers.set(handler.type, handler);
    return {
      services: { orders: service, deferredOrders, ...coupons.services, ...points.services },
      resolvers: [
        new OrderResolver(service, deferred),
        new OrderUser(externalUserIds),
        ...coupons.resolvers,
        ...points.resolvers,
      ],
      jobs: [...coupons.jobs, ...points.jobs],
    };
  },
};
