import {
  routeBy,
  timesOfRows,
  wayOf,
  type Route,
  type Way,
  type Wish,
} from '../../platform/database/list-ways.js';
import type { Id } from '../../platform/ids.js';
import {
  ORDER_STATUSES,
  ORDER_TYPES,
  PLACED_TYPES,
  type OrderStatus,
  type OrderType,
} from './order.entity.js';
import { STATUSES_OF_PAYMENT, type PaymentState } from './payment-state.js';

export interface OrderFilter {
  readonly id?: Id | null | undefined;
  readonly userId?: Id | null | undefined;
  readonly status?: OrderStatus | null | undefined;
  readonly type?: OrderType | null | undefined;
  readonly paymentState?: PaymentState | null | undefined;
  /** Half-open, by when they were made. */
  readonly from?: Date | null | undefined;
  readonly before?: Date | null | undefined;
}

/** What orders of redemptions never are. */
export const NEVER_REDEEMED: ReadonlySet<OrderStatus> = new Set(['PENDING', 'PAID', 'CLOSED']);

/** The indexes that lead to the orders of a filter, in the order of the list. */
export function orderWays(tenantId: string, filter: OrderFilter): Way[] {
  return routesOf(tenantId, filter).map((route) => wayOf(route, wishesOf(tenantId, filter, route.id)));
}

function routesOf(tenantId: string, filter: OrderFilter): Route[] {
  const { id, userId, type, status, paymentState } = filter;
  if (id) return [routeBy('order', 'o', 'primary')];
  const types = typesOf(filter);
  if (userId) return types.map((one) => routeBy('order', 'o', 'ix_order__user_type', ['o.type = ?', one]));
  if (paymentState === 'PARTLY_REFUNDED') return [refundRoute(tenantId)];
  if (!type && !status && !paymentState) return [routeBy('order', 'o', 'primary')];
  return types.flatMap((one) =>
    statusesOf(filter)
      .filter((state) => one !== 'REDEMPTION' || !NEVER_REDEEMED.has(state))
      .map((state) =>
        routeBy('order', 'o', 'ix_order__type_status', ['o.type = ?', one], ['o.status = ?', state]),
      ),
  );
}

/** Few orders of millions are refunded in part; the first refund of each leads to them. */
function refundRoute(tenantId: string): Route {
  return {
    from: `order_refund f force index (primary)
      straight_join \`order\` o force index (primary) on o.tenant_id = f.tenant_id and o.id = f.order_id`,
    id: 'f.order_id',
    wishes: [['f.tenant_id = ? and f.refund_no = 1', tenantId]],
  };
}

function typesOf({ type, paymentState }: OrderFilter): readonly OrderType[] {
  const all: readonly OrderType[] = paymentState ? PLACED_TYPES : ORDER_TYPES;
  return type ? all.filter((one) => one === type) : all;
}

function statusesOf({ status, paymentState }: OrderFilter): readonly OrderStatus[] {
  const all = paymentState ? STATUSES_OF_PAYMENT[paymentState] : ORDER_STATUSES;
  return status ? all.filter((one) => one === status) : all;
}

function wishesOf(tenantId: string, filter: OrderFilter, idColumn: string): Wish[] {
  const { id, userId, type, status, paymentState } = filter;
  const statuses = statusesOf(filter);
  return [
    ['o.tenant_id = ?', tenantId],
    id ? ['o.id = ?', id] : false,
    userId ? ['o.user_id = ?', userId] : false,
    type ? ['o.type = ?', type] : false,
    paymentState ? ['o.type in (?)', PLACED_TYPES] : false,
    status || paymentState ? (statuses.length === 0 ? ['false'] : ['o.status in (?)', statuses]) : false,
    paymentState === 'PAID' && ['coalesce(o.refunded, 0) = 0'],
    paymentState === 'PARTLY_REFUNDED' && ['o.refunded > 0'],
    ...timesOfRows({ id: idColumn, at: 'o.created_at' }, filter),
  ];
}
