import { randomUUID } from 'node:crypto';
import type { QueryResult } from '@mikro-orm/core';
import type { Em } from '../../platform/database/orm.js';
import type { RowValues } from '../../platform/database/insert-rows.js';
import { invariant, present } from '../../platform/assert.js';
import { DomainError } from '../../platform/errors.js';
import { isId } from '../../platform/ids.js';
import { argumentsDigest } from '../../platform/input.js';
import { keyDigest } from '../../platform/key-digest.js';
import type { PlatformServices } from '../../platform/platform-services.js';
import type { LedgerService } from '../../money/ledger.service.js';
import type { PlanSaleService } from '../../subscriptions/plan-sale.service.js';
import type { CouponService } from '../coupons/coupon.service.js';
import type { PointsService } from '../points/points.service.js';
import { orderRefunded } from './order-events.js';
import { checkRefund, type RefundOrder } from './order-input.js';
import { OrderPlacement } from './order-placement.entity.js';
import { isMore, isSameAmount, isZero, minus, plus } from './order-pricing.js';
import { OrderRefund } from './order-refund.entity.js';
import { lockOrder, lockUser, readOrder } from './order-rows.js';
import { accountOfOrder, saleOf, type OrderSettlement } from './order-settlement.js';
import { moveOrders } from './order-state.js';
import { Order } from './order.entity.js';
import type { RefundOrderRefusal } from './order.errors.js';
import { operationChanges } from '../../platform/recording/recording-em.js';

export interface RefundParts extends Pick<PlatformServices, 'clock' | 'transactions' | 'outbox'> {
  readonly ledger: LedgerService;
  readonly planSales: PlanSaleService;
  readonly coupons: CouponService;
  readonly points: PointsService;
  readonly settlement: OrderSettlement;
}

export interface Refunded {
  readonly order: Order;
  readonly refund: OrderRefund;
}

/** Refunds of paid orders, to the balance of their user. */
export class OrderRefundService {
  constructor(private readonly its: RefundParts) {}

  /**
   * Gives back a part of what was paid, or all that is left of it: then coupons and points come back, too, and the
   * subscription loses the time that it got, unless it is to keep it. Once per idempotency key.
   * @throws DomainError one of {@link REFUND_ORDER_REFUSALS}
   */
  async refund(tenantId: string, staffId: string, input: unknown): Promise<Refunded> {
    const asked = checkRefund(input);
    // A run after a COMMIT without a verdict has to find what the run before it has refunded.
    const wanted = { ...asked, idempotencyKey: asked.idempotencyKey ?? randomUUID() };
    const refunded = await this.its.transactions.runForCaller(tenantId, async (em) => {
      const found = isId(wanted.orderNo) ? await readOrder(em, wanted.orderNo) : null;
      if (found === null) return refuse('ORDER_NOT_FOUND', 'The tenant has no such order.', 'orderNo');
      await lockUser(em, found.userId);
      const order = await lockOrder(em, found.id);
      await operationChanges(em, Order, { id: found.id });
      const known = await this.findByKey(em, tenantId, wanted);
      return known === null ? this.make(em, order, staffId, wanted) : { order, refund: known };
    });
    await this.its.settlement.afterCommit(tenantId, refunded.order);
    return refunded;
  }

  private async findByKey(em: Em, tenantId: string, wanted: RefundOrder): Promise<OrderRefund | null> {
    const idempotencyKey = keyOf(tenantId, wanted);
    if (idempotencyKey === null) return null;
    const known = await em.findOne(OrderRefund, { idempotencyKey }, { disableIdentityMap: true });
    if (known !== null && known.argumentsDigest !== argumentsDigest(wanted))
      refuse('IDEMPOTENCY_KEY_REUSED', 'The key belongs to a refund with other arguments.', 'idempotencyKey');
    return known;
  }

  private async make(em: Em, order: Order, staffId: string, wanted: RefundOrder): Promise<Refunded> {
    assertRefundable(order);
    const before = order.refunded ?? '0';
    const left = minus(order.amount, before);
    const amount = wanted.amount ?? left;
    if (isMore(amount, left))
      refuse('REFUND_EXCEEDS_PAID', `Of ${order.amount} that was paid, ${left} is left.`, 'amount');
    const isWhole = isSameAmount(amount, left);
    const now = new Date(this.its.clock.nowMs());
    await this.moveOrder(em, order, plus(before, amount), isWhole);
    const debt = isWhole && !wanted.keepsSubscription ? await this.takeBack(em, order, now) : null;
    if (isWhole) await this.giveBack(em, order, now);
    const refund = await insertRefund(em, order, { staffId, wanted, amount, debt, now });
    await this.credit(em, order, refund);
    this.its.outbox.append(em, order.tenantId, [orderRefunded(order, amount, isWhole)]);
    return { order: present(await readOrder(em, order.id), 'A refunded order'), refund };
  }

  private async moveOrder(em: Em, { tenantId, id, status }: Order, refunded: string, isWhole: boolean) {
    const set: RowValues = { refunded };
    if (!isWhole) return setRefunded(em, { tenantId, id, status }, refunded);
    const moved = await moveOrders(em, tenantId, [id], { from: status, to: 'REFUNDED', set });
    invariant(moved === 1, 'A locked order was not there to be refunded.');
  }

  private async takeBack(em: Em, order: Order, now: Date): Promise<string | null> {
    const sale = saleOf(order);
    // New traffic cannot be taken back: what was used with it is gone.
    if (sale === null || sale.kind === 'RESET_TRAFFIC') return null;
    const { periodFrom: from, periodUntil: until } = present(
      await em.findOne(OrderPlacement, { orderId: order.id }, { disableIdentityMap: true }),
      'The placement of an order',
    );
    const sold = {
      subscriptionId: present(order.subscriptionId, 'The subscription of a paid order'),
      period: from ? { from, until: until ?? null } : null,
    };
    const paidAt = present(order.paidAt, 'The instant of a payment');
    return this.its.planSales.takeBack(em, order.tenantId, { sale, sold, paidAt }, now);
  }

  private async giveBack(em: Em, { tenantId, id, discount, pointsSpent }: Order, now: Date): Promise<void> {
    if (!isZero(discount ?? '0')) await this.its.coupons.giveBack(em, tenantId, id, 'REFUNDED', now);
    if ((pointsSpent ?? 0) > 0) await this.its.points.giveBack(em, tenantId, id, 'REFUNDED', now);
  }

  private async credit(em: Em, order: Order, { refundNo, amount, reason }: OrderRefund): Promise<void> {
    if (isZero(amount)) return;
    const orderId = `${order.id}:${refundNo}`;
    const change = { type: 'REFUND', orderId, amount, remark: reason } as const;
    await this.its.ledger.changeBalances(em, order.tenantId, [{ ...accountOfOrder(order), ...change }]);
  }
}

/** What was recharged is in the balance already, where a refund would put it. */
function assertRefundable({ status, type }: Order): void {
  if (type === 'REDEMPTION')
    refuse('ORDER_NOT_REFUNDABLE', 'A redemption is reversed, not refunded.', 'orderNo');
  if (type === 'RECHARGE') refuse('ORDER_NOT_REFUNDABLE', 'A recharge is in the balance already.', 'orderNo');
  if (status !== 'PAID' && status !== 'FINISHED')
    refuse('ORDER_NOT_REFUNDABLE', `The order is ${status}.`, 'orderNo');
}

async function setRefunded(
  em: Em,
  { tenantId, id, status }: Pick<Order, 'tenantId' | 'id' | 'status'>,
  refunded: string,
): Promise<void> {
  const { affectedRows } = await em.execute<QueryResult>(
    'update `order` force index (primary) set refunded = ? where tenant_id = ? and id = ? and status = ?',
    [refunded, tenantId, id, status],
    'run',
  );
  invariant(affectedRows === 1, 'A locked order was not there to be refunded in part.');
}

interface MadeRefund {
  readonly staffId: string;
  readonly wanted: RefundOrder;
  readonly amount: string;
  readonly debt: string | null;
  readonly now: Date;
}

async function insertRefund(
  em: Em,
  { tenantId, id: orderId }: Order,
  made: MadeRefund,
): Promise<OrderRefund> {
  const { staffId, wanted, amount, debt, now } = made;
  const idempotencyKey = keyOf(tenantId, wanted);
  const refund = em.create(
    OrderRefund,
    {
      tenantId,
      orderId,
      // The order is locked, so no other refund of it comes between.
      refundNo: (await em.count(OrderRefund, { orderId })) + 1,
      amount,
      staffId,
      debt,
      idempotencyKey,
      reason: wanted.reason,
      argumentsDigest: idempotencyKey === null ? null : argumentsDigest(wanted),
      createdAt: now,
    },
    { persist: false },
  );
  await em.insert(refund);
  return refund;
}

function keyOf(tenantId: string, { idempotencyKey }: RefundOrder): string | null {
  return idempotencyKey === null ? null : keyDigest(tenantId, 'order_refund', idempotencyKey);
}

function refuse(code: RefundOrderRefusal, message: string, field: keyof RefundOrder): never {
  throw new DomainError(code, message, { field: ['input', field] });
}
