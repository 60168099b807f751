import type { MikroORM } from '@mikro-orm/core';
import { tenantEm } from '../../platform/database/orm.js';
import type { Id } from '../../platform/ids.js';
import { gatheredByTenant } from '../../platform/scheduling/gathered.js';
import { OrderCoupon } from '../coupons/coupon-ledger.entity.js';
import { isZero } from './order-pricing.js';
import { OrderRefund } from './order-refund.entity.js';
import type { Order } from './order.entity.js';

const ORDERS_AT_ONCE = 500;

interface Key {
  readonly tenantId: string;
  readonly id: Id;
}

/** What belongs to orders and is asked for with them: the orders of a list go in one statement. */
export class OrderDetails {
  private readonly coupons;
  private readonly refunds;

  constructor(private readonly orm: MikroORM) {
    this.coupons = gatheredByTenant(async (tenantId, keys: readonly Key[]) => {
      const where = { orderId: { $in: keys.map(({ id }) => id) } };
      const rows = await tenantEm(this.orm, tenantId).find(OrderCoupon, where, {
        orderBy: { orderId: 'asc', couponId: 'asc' },
        disableIdentityMap: true,
      });
      return perOrder(keys, rows);
    }, ORDERS_AT_ONCE);
    this.refunds = gatheredByTenant(async (tenantId, keys: readonly Key[]) => {
      const where = { orderId: { $in: keys.map(({ id }) => id) } };
      const rows = await tenantEm(this.orm, tenantId).find(OrderRefund, where, {
        orderBy: { orderId: 'asc', refundNo: 'asc' },
        disableIdentityMap: true,
      });
      return perOrder(keys, rows);
    }, ORDERS_AT_ONCE);
  }

  /** What each coupon took off, also of an order that was closed. */
  async couponsOf({ tenantId, id, discount }: Order): Promise<OrderCoupon[]> {
    return isZero(discount ?? '0') ? [] : this.coupons.load({ tenantId, id });
  }

  async refundsOf({ tenantId, id, status, refunded }: Order): Promise<OrderRefund[]> {
    const hasNone = status !== 'REFUNDED' && isZero(refunded ?? '0');
    return hasNone ? [] : this.refunds.load({ tenantId, id });
  }
}

function perOrder<Row extends { readonly orderId: Id }>(keys: readonly Key[], rows: readonly Row[]): Row[][] {
  const byOrder = Map.groupBy(rows, ({ orderId }) => orderId);
  return keys.map(({ id }) => byOrder.get(id) ?? []);
}
