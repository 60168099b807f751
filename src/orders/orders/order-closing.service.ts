import { invariant } from '../../platform/assert.js';
import type { Em } from '../../platform/database/orm.js';
import { DomainError } from '../../platform/errors.js';
import { isId, type Id } from '../../platform/ids.js';
import type { PlatformServices } from '../../platform/platform-services.js';
import type { PlanSaleService } from '../../subscriptions/plan-sale.service.js';
import type { CouponService } from '../coupons/coupon.service.js';
import type { GiveBackCause } from '../give-back.js';
import type { PointsService } from '../points/points.service.js';
import { orderClosed, type ClosedOrder } from './order-events.js';
import { isZero } from './order-pricing.js';
import { dropDeadlines, lockPending, readOrder } from './order-rows.js';
import { moveOrders } from './order-state.js';
import { Order, type CloseCause } from './order.entity.js';
import type { CANCEL_ORDER_REFUSALS } from './order.errors.js';
import { operationChanges } from '../../platform/recording/recording-em.js';

export interface ClosingParts extends Pick<PlatformServices, 'clock' | 'transactions' | 'outbox'> {
  readonly planSales: PlanSaleService;
  readonly coupons: CouponService;
  readonly points: PointsService;
}

/** What coupons and points say of it. */
const GIVE_BACK_CAUSE: Readonly<Record<CloseCause, GiveBackCause>> = {
  TIMEOUT: 'TIMEOUT',
  USER: 'CANCELLED',
  STAFF: 'CANCELLED',
  FAILED: 'CANCELLED',
};

/** Closes unpaid orders, for the time-out, the user and staff alike. */
export class OrderClosing {
  constructor(private readonly its: ClosingParts) {}

  /**
   * The one function that closes orders: by their time-out, their user, staff, or a payment that came for what cannot be
   * delivered any more. Inside the caller's transaction: those of the orders that are PENDING move first, by
   * compare-and-set, and then give back all that they hold. Those that are not PENDING stay as they are.
   *
   * @param waits whether to wait for orders that another transaction has locked, or to leave them out
   * @returns the ids of those that were closed
   */
  async close(
    em: Em,
    tenantId: string,
    ids: readonly Id[],
    { cause, waits }: { readonly cause: CloseCause; readonly waits: boolean },
  ): Promise<readonly Id[]> {
    const pending = await lockPending(em, ids, waits);
    if (pending.length === 0) return [];
    const now = new Date(this.its.clock.nowMs());
    const closed = pending.map(idOf);
    const to = cause === 'FAILED' ? 'FAILED' : 'CLOSED';
    const set = { closed_at: now, close_reason: cause };
    const moved = await moveOrders(em, tenantId, closed, { from: 'PENDING', to, set });
    invariant(moved === closed.length, 'A locked order was not PENDING any more.');
    await dropDeadlines(em, tenantId, closed);
    const holding = pending.filter(({ takesInventory }) => takesInventory === true);
    await this.its.planSales.release(em, tenantId, holding.map(planIdOf));
    const given = await this.giveBack(em, tenantId, pending, { cause: GIVE_BACK_CAUSE[cause], now });
    this.its.outbox.append(
      em,
      tenantId,
      given.map((one) => orderClosed(one, cause)),
    );
    return closed;
  }

  /**
   * Closes an order that is not wanted any more. One that is closed already stays as it is.
   * @param userId whose order it has to be; null, for staff, takes every order of the tenant
   * @throws DomainError one of {@link CANCEL_ORDER_REFUSALS}
   */
  async cancel(tenantId: string, orderNo: string, userId: Id | null): Promise<Order> {
    const cause = userId === null ? 'STAFF' : 'USER';
    const order = await this.its.transactions.runForCaller(tenantId, async (em) => {
      const found = isId(orderNo) ? await readOrder(em, orderNo) : null;
      if (found === null || (userId !== null && found.userId !== userId)) return null;
      await operationChanges(em, Order, { id: found.id });
      await this.close(em, tenantId, [found.id], { cause, waits: true });
      return readOrder(em, found.id);
    });
    if (order === null) return refuse('ORDER_NOT_FOUND', 'There is no such order.');
    if (order.status !== 'CLOSED') refuse('ORDER_NOT_PENDING', `The order is ${order.status}.`);
    return order;
  }

  /** All coupons before all points, each kind locked by one statement in primary-key order. */
  private async giveBack(
    em: Em,
    tenantId: string,
    orders: readonly Order[],
    { cause, now }: { readonly cause: GiveBackCause; readonly now: Date },
  ): Promise<ClosedOrder[]> {
    const discounted = orders.filter(({ discount }) => !isZero(discount ?? '0'));
    const spending = orders.filter(({ pointsSpent }) => (pointsSpent ?? 0) > 0);
    const coupons = await this.its.coupons.giveBackAll(em, tenantId, discounted.map(idOf), cause, now);
    const points = await this.its.points.giveBackAll(em, tenantId, spending.map(idOf), cause, now);
    return orders.map((order) => ({
      order,
      coupons: coupons.get(order.id) ?? [],
      points: points.get(order.id) ?? 0,
    }));
  }
}

const idOf = ({ id }: Order): Id => id;

function planIdOf({ planId }: Order): Id {
  invariant(planId, 'An order without a plan holds nothing of its inventory.');
  return planId;
}

function refuse(code: (typeof CANCEL_ORDER_REFUSALS)[number], message: string): never {
  throw new DomainError(code, message, { field: ['input', 'orderNo'] });
}
