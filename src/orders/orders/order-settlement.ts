import { invariant, present } from '../../platform/assert.js';
import type { Em } from '../../platform/database/orm.js';
import type { PlatformServices } from '../../platform/platform-services.js';
import type { LedgerService } from '../../money/ledger.service.js';
import type {
  PlanSale,
  PlanSaleKind,
  PlanSaleService,
  SoldSubscription,
} from '../../subscriptions/plan-sale.service.js';
import type { CouponService } from '../coupons/coupon.service.js';
import { orderPaid } from './order-events.js';
import { OrderPlacement } from './order-placement.entity.js';
import { isZero } from './order-pricing.js';
import { readOrder } from './order-rows.js';
import { moveOrders } from './order-state.js';
import type { Order } from './order.entity.js';
import type { OrderService } from './order.service.js';

export interface SettlementParts extends Pick<PlatformServices, 'outbox'> {
  readonly orders: OrderService;
  readonly planSales: PlanSaleService;
  readonly coupons: CouponService;
  readonly ledger: LedgerService;
}

/** Delivers paid orders. Every payment ends here, whoever makes it, as do orders with nothing left to pay. */
export class OrderSettlement {
  constructor(private readonly its: SettlementParts) {}

  /**
   * PENDING → PAID → FINISHED, with all that follows, inside the caller's transaction, which has locked the user and
   * the order and has seen that it is PENDING. Where it is paid from a balance, the caller's debit comes behind it.
   * @throws DomainError one of {@link PLAN_DELIVERY_REFUSALS}, or of `LEDGER_REFUSALS`
   */
  async settle(em: Em, tenantId: string, order: Order, now: Date): Promise<Order> {
    const { id, userId } = order;
    const { orders, coupons, outbox } = this.its;
    const buyers = await orders.usersWithPaidOrder(em, tenantId, [userId]);
    const paid = { paid_at: now, is_new: !buyers.has(userId) };
    const moved = await moveOrders(em, tenantId, [id], { from: 'PENDING', to: 'PAID', set: paid });
    invariant(moved === 1, 'A locked order was not PENDING any more.');
    const sold = await this.deliver(em, tenantId, order, now);
    if (!isZero(order.discount ?? '0')) await coupons.consume(em, tenantId, id, now);
    await this.recharge(em, tenantId, order);
    const finished = { finished_at: now, subscription_id: sold?.subscriptionId ?? null };
    const ended = await moveOrders(em, tenantId, [id], { from: 'PAID', to: 'FINISHED', set: finished });
    invariant(ended === 1, 'A paid order was not there to be finished.');
    outbox.append(em, tenantId, [orderPaid(order)]);
    return present(await readOrder(em, id), 'An order that was just paid');
  }

  /** After the commit: drops what caches hold of the subscription. Never throws. */
  async afterCommit(tenantId: string, { userId, planId }: Order): Promise<void> {
    if (planId) await this.its.planSales.afterCommit(tenantId, { userId, planId });
  }

  private async deliver(em: Em, tenantId: string, order: Order, now: Date): Promise<SoldSubscription | null> {
    const sale = saleOf(order);
    const held = { takesInventory: order.takesInventory === true };
    const sold = sale && (await this.its.planSales.deliver(em, tenantId, { ...sale, ...held }, now));
    const period = sold?.period ?? null;
    const values = { dueAt: null, periodFrom: period?.from ?? null, periodUntil: period?.until ?? null };
    await em.nativeUpdate(OrderPlacement, { orderId: order.id }, values);
    return sold;
  }

  private async recharge(em: Em, tenantId: string, order: Order): Promise<void> {
    if (order.type !== 'RECHARGE') return;
    const change = {
      ...accountOfOrder(order),
      type: 'RECHARGE',
      orderId: order.id,
      amount: order.amount,
    } as const;
    await this.its.ledger.changeBalances(em, tenantId, [change]);
  }
}

/** The account that an order's money comes from and goes to. */
export function accountOfOrder({ userId, facilityId, currency }: Order) {
  return {
    userId,
    facilityId: present(facilityId, 'The facility of a placed order'),
    currency: present(currency, 'The currency of a placed order'),
  };
}

/** What an order bought of a plan; null for a recharge. */
export function saleOf({ id, userId, type, planId, quantity }: Order): PlanSale | null {
  if (!planId) return null;
  return { orderId: id, userId, planId, kind: type as PlanSaleKind, quantity: quantity ?? 1 };
}
