import type { Config } from '../config.js';
import { externalUserIdOf, type ExternalUserIds } from '../identity/identity.module.js';
import { Order } from './orders/order.entity.js';
import { OrderResolver } from './orders/order.resolver.js';
import { OrderService, type DeferredOrders } from './orders/order.service.js';
import type { PlatformServices } from '../platform/platform-services.js';
import { OrderObjectType } from './orders/order.types.js';

interface Needs extends Pick<PlatformServices, 'orm' | 'readOrm'> {
  readonly config: Config;
  readonly externalUserIds: ExternalUserIds;
}

const OrderUser = externalUserIdOf(OrderObjectType);

/** Orders of users. */
export const orders = {
  name: 'orders',
  entities: [Order],
  resolvers: [OrderResolver, OrderUser],
  compose: ({ config, orm, readOrm, externalUserIds }: Needs) => {
    const service = new OrderService(orm, config.STORE_TIMEOUT_MS, readOrm);
    /** Orders of redemptions that are PROCESSING; the redemption sets it. */
    const deferredOrders: { find: DeferredOrders } = { find: async () => null };
    const deferred: DeferredOrders = async (tenantId, orderNo) => deferredOrders.find(tenantId, orderNo);
    return {
      services: { orders: service, deferredOrders },
      resolvers: [new OrderResolver(service, deferred), new OrderUser(externalUserIds)],
    };
  },
};
