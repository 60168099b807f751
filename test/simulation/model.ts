import type { Order } from '../../src/orders/orders/order.entity.js';
import { Money } from '../../src/platform/decimal.js';
import type { RedemptionRecord } from '../../src/redemption/history/redemption-record.js';
import type { Place } from './scene.js';

export interface Account extends Place {
  readonly userId: string;
}

const textOf = ({ userId, facilityId, currency }: Account): string => `${userId} ${facilityId} ${currency}`;

/** What is known of an order by the answers of all who asked for something about it. */
export interface KnownOrder extends Account {
  readonly type: Order['type'];
  readonly amount: string;
  readonly points: number;
  isPaid: boolean;
  isClosed: boolean;
  /** Payments of the provider, by what has become of them. */
  readonly accepted: Set<string>;
  readonly returned: Set<string>;
  /** By their numbers. */
  readonly refunds: Map<number, KnownRefund>;
}

interface KnownRefund {
  readonly amount: string;
  readonly keepsSubscription: boolean;
}

interface KnownRedemption {
  readonly codeId: string;
  isReversed: boolean;
  isReturned: boolean;
}

/**
 * What everything should have come to, by the answers alone. Answers come in any order, and those of one thing come
 * several times; so each is taken down by the id of what it names, and must say the same every time.
 */
export class Model {
  readonly orders = new Map<string, KnownOrder>();
  readonly redemptions = new Map<string, KnownRedemption>();
  /** Coupons by user and template. */
  readonly coupons = new Map<string, number>();
  /** Points that were granted, by user. */
  readonly points = new Map<string, number>();
  /** Of all but orders, by account. */
  readonly moved = new Map<string, Money>();
  private readonly seen = new Map<string, string>();

  /** @returns whether it is new. @throws Error where it says something else than before */
  isNew(what: string, says: string): boolean {
    const before = this.seen.get(what);
    if (before !== undefined && before !== says)
      throw new Error(`${what} was answered as ${before}, and now as ${says}.`);
    this.seen.set(what, says);
    return before === undefined;
  }

  move(what: string, account: Account, amount: string): void {
    if (!this.isNew(`${what} of ${textOf(account)}`, new Money(amount).toFixed())) return;
    const key = textOf(account);
    this.moved.set(key, (this.moved.get(key) ?? new Money(0)).plus(amount));
  }

  grantPoints(lotId: string, userId: string, points: number): void {
    if (this.isNew(`lot ${lotId}`, `${points}`)) add(this.points, userId, points);
  }

  issueCoupon(id: string, userId: string, templateId: string): void {
    const key = `${userId} ${templateId}`;
    if (this.isNew(`coupon ${id}`, key)) add(this.coupons, key, 1);
  }

  place(order: Order): void {
    const { id, userId, type, facilityId, currency, amount, pointsSpent } = order;
    const known = {
      userId,
      type,
      facilityId: facilityId ?? '',
      currency: currency ?? '',
      amount,
      points: pointsSpent ?? 0,
    };
    if (!this.isNew(`order ${id}`, JSON.stringify(known))) return;
    // Where nothing is left to pay it is paid as it is placed.
    const fresh = { isPaid: new Money(amount).isZero(), isClosed: false, accepted: new Set<string>() };
    this.orders.set(id, { ...known, ...fresh, returned: new Set(), refunds: new Map() });
  }

  order(id: string): KnownOrder {
    const order = this.orders.get(id);
    if (order === undefined) throw new Error(`Nothing is known of order ${id}.`);
    return order;
  }

  refund(orderId: string, refundNo: number, refund: KnownRefund): void {
    const says = `${new Money(refund.amount).toFixed()} ${refund.keepsSubscription}`;
    if (this.isNew(`refund ${orderId}/${refundNo}`, says)) this.order(orderId).refunds.set(refundNo, refund);
  }

  /** @returns whether it is new; what it gave is the caller's to take down */
  redeem({ id, codeId }: RedemptionRecord): boolean {
    const isNew = this.isNew(`redemption ${id}`, codeId);
    if (isNew) this.redemptions.set(id, { codeId, isReversed: false, isReturned: false });
    return isNew;
  }

  reverse(id: string, isReturned: boolean): void {
    const redemption = this.redemptions.get(id);
    if (redemption === undefined || redemption.isReversed)
      throw new Error(`Redemption ${id} was reversed, though it was not there, or was reversed before.`);
    redemption.isReversed = true;
    redemption.isReturned = isReturned;
  }

  /** Balances by account, orders included. */
  balances(): Map<string, Money> {
    const balances = new Map(this.moved);
    for (const order of this.orders.values()) {
      const key = textOf(order);
      balances.set(key, (balances.get(key) ?? new Money(0)).plus(movedBy(order)));
    }
    return balances;
  }
}

/** What an order has moved of its user's balance. */
function movedBy({ type, amount, isPaid, accepted, returned, refunds }: KnownOrder): Money {
  const isFromBalance = isPaid && accepted.size === 0;
  const isRecharged = type === 'RECHARGE' && accepted.size > 0;
  const times = returned.size + (isRecharged ? 1 : 0) - (isFromBalance ? 1 : 0);
  const back = [...refunds.values()].reduce((sum, refund) => sum.plus(refund.amount), new Money(0));
  return new Money(amount).times(times).plus(back);
}

function add(counts: Map<string, number>, key: string, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}
