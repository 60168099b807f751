import type { CANCEL_ORDER_REFUSALS, RefundOrderRefusal } from '../../../src/orders/orders/order.errors.js';
import { emOf } from '../../support/world.js';
import type { Kind } from '../kind.js';

/** By the user, or by staff. */
export const CANCEL: Kind = {
  name: 'CANCEL',
  weight: 6,
  refusals: ['ORDER_NOT_PENDING'] satisfies readonly (typeof CANCEL_ORDER_REFUSALS)[number][],
  make: ({ scene, known, model, draw }) => {
    const userId = known.user(draw);
    const orderId = known.of(userId).orders.pick(draw);
    if (orderId === undefined) return null;
    const by = draw.chance(0.3) ? null : userId;
    return {
      says: orderId,
      send: async ({ services }) => {
        const { status } = await services.orderClosing.cancel(scene.tenantId, orderId, by);
        model.order(orderId).isClosed = true;
        return status;
      },
    };
  },
};

/** The clock of an order is not turned; its deadline is. */
export const LET_EXPIRE: Kind = {
  name: 'LET_EXPIRE',
  weight: 5,
  refusals: [],
  make: ({ scene: { tenantId }, known, draw }) => {
    const orderIds = known.of(known.user(draw)).orders.some(draw, draw.between(1, 3));
    if (orderIds.length === 0) return null;
    return {
      says: orderIds.join(' '),
      send: async (world) => {
        await emOf(world, tenantId).execute(
          `update order_placement set due_at = utc_timestamp(3) - interval 1 second
            where tenant_id = ? and order_id in (?) and due_at is not null`,
          [tenantId, orderIds],
        );
        return 'DUE';
      },
    };
  },
};

export const SWEEP: Kind = {
  name: 'SWEEP',
  weight: 3,
  refusals: [],
  make: () => ({
    says: 'orders',
    send: async ({ services }) => ((await services.orderTimeouts.sweep()) > 0 ? 'CLOSED' : 'NONE'),
  }),
};

/** The job of an order, delivered at any time, and several times. */
export const TIME_OUT: Kind = {
  name: 'TIME_OUT',
  weight: 4,
  refusals: [],
  make: ({ scene: { tenantId }, known, draw }) => {
    const orderId = known.of(known.user(draw)).orders.pick(draw);
    if (orderId === undefined) return null;
    return {
      says: orderId,
      send: async ({ services }) =>
        (await services.orderTimeouts.work({ tenantId, orderId })) === null ? 'DONE' : 'EARLY',
    };
  },
};

/** A part, or all that is left; mostly of orders that were paid. */
export const REFUND: Kind = {
  name: 'REFUND',
  weight: 7,
  refusals: ['ORDER_NOT_REFUNDABLE', 'REFUND_EXCEEDS_PAID'] satisfies readonly RefundOrderRefusal[],
  make: ({ scene, known, model, draw, name }) => {
    const { paid, orders } = known.of(known.user(draw));
    const orderId = (draw.chance(0.8) ? paid : orders).pick(draw);
    if (orderId === undefined) return null;
    const keepsSubscription = draw.chance(0.3);
    const input = {
      orderNo: orderId,
      reason: 'A simulation',
      keepsSubscription,
      ...(draw.chance(0.6) && { amount: `${draw.between(1, 12)}` }),
      ...(draw.chance(0.5) && { idempotencyKey: name }),
    };
    return {
      says: JSON.stringify(input),
      send: async ({ services }) => {
        const { order, refund } = await services.refunds.refund(scene.tenantId, 'eve', input);
        model.refund(orderId, refund.refundNo, { amount: refund.amount, keepsSubscription });
        if ('idempotencyKey' in input) model.isNew(`refund of key ${name}`, `${refund.refundNo}`);
        return order.status;
      },
    };
  },
};
