import type { Em } from '../../platform/database/orm.js';
import { DomainError } from '../../platform/errors.js';
import { isId, type Id } from '../../platform/ids.js';
import type { PlatformServices } from '../../platform/platform-services.js';
import type { LedgerService } from '../../money/ledger.service.js';
import { PLAN_DELIVERY_REFUSALS } from '../../subscriptions/plan-sale.service.js';
import type { OrderClosing } from './order-closing.service.js';
import { paymentRefunded } from './order-events.js';
import type { IncomingPayment } from './order-input.js';
import { OrderPayment, type PaymentOutcome } from './order-payment.entity.js';
import { isSameAmount, minus } from './order-pricing.js';
import { lockOrder, lockUser, readOrder } from './order-rows.js';
import { accountOfOrder, type OrderSettlement } from './order-settlement.js';
import type { Order } from './order.entity.js';
import type { PaymentRefusal } from './order.errors.js';

export interface PaymentParts extends Pick<PlatformServices, 'ids' | 'clock' | 'transactions' | 'outbox'> {
  readonly ledger: LedgerService;
  readonly settlement: OrderSettlement;
  readonly closing: OrderClosing;
}

/** What has become of a provider's payment. */
export interface PaymentAnswer {
  readonly orderNo: Id;
  readonly outcome: PaymentOutcome;
}

type NewPayment = Pick<OrderPayment, 'method' | 'paymentNo' | 'outcome'>;

/** Takes payments. An order is paid by one of them, or closed, and never both: the same compare-and-set decides. */
export class OrderPaymentService {
  constructor(private readonly its: PaymentParts) {}

  /**
   * Pays an order from the balance of its user. One that is paid already stays as it is.
   * @throws DomainError one of {@link PAY_ORDER_REFUSALS}
   */
  async pay(tenantId: string, userId: Id, orderNo: string): Promise<Order> {
    const order = await this.its.transactions.runForCaller(tenantId, async (em) => {
      const found = isId(orderNo) ? await readOrder(em, orderNo) : null;
      if (found?.userId !== userId)
        throw new DomainError('ORDER_NOT_FOUND', 'There is no such order.', ORDER_NO);
      await lockUser(em, userId);
      const locked = await lockOrder(em, found.id);
      if (locked.status === 'PAID' || locked.status === 'FINISHED') return locked;
      if (locked.status !== 'PENDING')
        throw new DomainError('ORDER_NOT_PENDING', `The order is ${locked.status}.`, ORDER_NO);
      if (locked.type === 'RECHARGE')
        throw new DomainError(
          'RECHARGE_NOT_PAYABLE_FROM_BALANCE',
          'A recharge is paid through the payment provider.',
          ORDER_NO,
        );
      return this.debit(em, locked);
    });
    await this.its.settlement.afterCommit(tenantId, order);
    return order;
  }

  /**
   * Takes a payment that a provider reports; a repeated report gets the same answer. If the order can no longer be paid,
   * the money goes to the user's balance.
   * @throws DomainError one of {@link PAYMENT_REFUSALS}, or of `LEDGER_REFUSALS`
   */
  async receive(tenantId: string, payment: IncomingPayment): Promise<PaymentAnswer> {
    try {
      return await this.settled(tenantId, payment, true);
    } catch (error) {
      if (!isUndeliverable(error)) throw error;
      // All of that is undone. The order fails, and the money goes to the balance.
      return this.settled(tenantId, payment, false);
    }
  }

  private async debit(em: Em, order: Order): Promise<Order> {
    const { tenantId, id: orderId, amount } = order;
    const account = accountOfOrder(order);
    // Accounts are locked after plans. Who cannot pay is refused before a plan is locked, and keeps no buyer waiting.
    await this.its.ledger.assertCovered(em, account, amount);
    const now = new Date(this.its.clock.nowMs());
    const paid = await this.its.settlement.settle(em, tenantId, order, now);
    const change = { type: 'PAYMENT', orderId, amount: minus('0', amount) } as const;
    await this.its.ledger.changeBalances(em, tenantId, [{ ...account, ...change }]);
    await this.insert(em, order, { method: 'BALANCE', paymentNo: orderId, outcome: 'ACCEPTED' }, now);
    return paid;
  }

  private async settled(
    tenantId: string,
    payment: IncomingPayment,
    mayDeliver: boolean,
  ): Promise<PaymentAnswer> {
    const { answer, order } = await this.its.transactions.runForCaller(tenantId, async (em) => {
      const found = await readOrder(em, payment.orderNo);
      if (found === null || found.type === 'REDEMPTION')
        return refuse('ORDER_NOT_FOUND', 'The tenant has no such order.');
      await lockUser(em, found.userId);
      const locked = await lockOrder(em, found.id);
      const outcome = (await knownOutcome(em, payment)) ?? (await this.take(em, locked, payment, mayDeliver));
      return { answer: { orderNo: locked.id, outcome }, order: locked };
    });
    await this.its.settlement.afterCommit(tenantId, order);
    return answer;
  }

  /** A payment that is new, of a locked order. */
  private async take(
    em: Em,
    order: Order,
    payment: IncomingPayment,
    mayDeliver: boolean,
  ): Promise<PaymentOutcome> {
    if (payment.currency !== order.currency)
      refuse('PAYMENT_CURRENCY_DIFFERS', `The order is to be paid in ${order.currency}.`);
    if (!isSameAmount(payment.amount, order.amount))
      refuse('PAYMENT_AMOUNT_DIFFERS', 'The amount differs from the amount of the order.');
    const { tenantId, id } = order;
    const now = new Date(this.its.clock.nowMs());
    const taken = { method: 'CALLBACK', paymentNo: payment.paymentId } as const;
    if (order.status === 'PENDING' && mayDeliver) {
      await this.its.settlement.settle(em, tenantId, order, now);
      await this.insert(em, order, { ...taken, outcome: 'ACCEPTED' }, now);
      return 'ACCEPTED';
    }
    await this.its.closing.close(em, tenantId, [id], { cause: 'FAILED', waits: true });
    const paymentId = await this.insert(em, order, { ...taken, outcome: 'REFUNDED' }, now);
    const refund = { type: 'REFUND', orderId: lateRefundNo(id, paymentId), amount: order.amount } as const;
    await this.its.ledger.changeBalances(em, tenantId, [{ ...accountOfOrder(order), ...refund }]);
    this.its.outbox.append(em, tenantId, [paymentRefunded(order, paymentId, order.amount)]);
    return 'REFUNDED';
  }

  private async insert(em: Em, order: Order, payment: NewPayment, createdAt: Date): Promise<Id> {
    const id = this.its.ids.next();
    const { tenantId, amount } = order;
    const { currency } = accountOfOrder(order);
    await em.insert(OrderPayment, {
      tenantId,
      id,
      orderId: order.id,
      amount,
      currency,
      createdAt,
      ...payment,
    });
    return id;
  }
}

const ORDER_NO = { field: ['input', 'orderNo'] } as const;

/** The ledger's order id of a payment that came too late: an order may get several. */
function lateRefundNo(orderId: Id, paymentId: Id): string {
  return `${orderId}:late:${paymentId}`;
}

/** @throws DomainError PAYMENT_ID_REUSED where it was another payment */
async function knownOutcome(em: Em, payment: IncomingPayment): Promise<PaymentOutcome | null> {
  const where = { method: 'CALLBACK', paymentNo: payment.paymentId } as const;
  const known = await em.findOne(OrderPayment, where, { disableIdentityMap: true });
  if (known === null) return null;
  const { orderId, currency, amount, outcome } = known;
  const isSame =
    orderId === payment.orderNo && currency === payment.currency && isSameAmount(amount, payment.amount);
  return isSame ? outcome : refuse('PAYMENT_ID_REUSED', 'This payment id belongs to another payment.');
}

const UNDELIVERABLE: ReadonlySet<string> = new Set(PLAN_DELIVERY_REFUSALS);

function isUndeliverable(error: unknown): boolean {
  return error instanceof DomainError && UNDELIVERABLE.has(String(error.code));
}

function refuse(code: PaymentRefusal, message: string): never {
  throw new DomainError(code, message);
}
