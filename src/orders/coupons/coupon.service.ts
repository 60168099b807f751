import { present } from '../../platform/assert.js';
import type { Em } from '../../platform/database/orm.js';
import { isId, sortedIds, type Id, type IdGenerator } from '../../platform/ids.js';
import type { GiveBackCause } from '../give-back.js';
import {
  lockCouponRows,
  lockCoupons,
  refundedByOrders,
  takenByOrders,
  writeCoupons,
} from './coupon-bookings.js';
import { assertCouponIds, usableCoupons } from './coupon-guards.js';
import { CouponLedger, OrderCoupon } from './coupon-ledger.entity.js';
import { priceCoupons, type CouponAmount, type Discount } from './coupon-pricing.js';
import { consumedBy, givenBackBy, takenBy } from './coupon-state.js';
import type { UserCoupon } from './user-coupon.entity.js';

/** What coupons are applied to. */
export interface DiscountedOrder {
  readonly tenantId: string;
  readonly orderId: Id;
  readonly userId: Id;
  readonly currency: string;
  /** Before any discount. */
  readonly total: string;
  /** Digits of the currency after the point. */
  readonly scale: number;
}

type Entry = Pick<CouponLedger, 'tenantId' | 'couponId' | 'orderId' | 'action' | 'amount' | 'cause'>;

const NO_DISCOUNT: Discount = { discount: '0', applied: [] };

/** Coupons on orders. Works in the caller's transaction, which holds the lock of the order's row. */
export class CouponService {
  /** @param sharePercent what all coupons of an order together may take off */
  constructor(
    private readonly ids: IdGenerator,
    private readonly sharePercent: number,
  ) {}

  /**
   * Locks the coupons, prices them in the given order and books them. Each at most once in an order.
   * @throws DomainError one of {@link COUPON_REFUSALS}
   */
  async apply(em: Em, order: DiscountedOrder, couponIds: readonly Id[], now: Date): Promise<Discount> {
    if (couponIds.length === 0) return NO_DISCOUNT;
    assertCouponIds(couponIds);
    const held = await lockCoupons(em, couponIds.filter(isId));
    const coupons = usableCoupons(couponIds, held, order, now.getTime());
    const discount = priceCoupons({ ...order, sharePercent: this.sharePercent }, coupons);
    for (const { couponId, amount } of discount.applied) {
      const coupon = present(held.get(couponId), 'A coupon that was priced');
      this.take(em, order, coupon, amount, now);
    }
    await em.flush();
    return discount;
  }

  private take(
    em: Em,
    { tenantId, orderId }: DiscountedOrder,
    coupon: UserCoupon,
    amount: string,
    now: Date,
  ) {
    change(coupon, takenBy(coupon, amount, orderId));
    em.create(OrderCoupon, { tenantId, orderId, couponId: coupon.id, amount });
    const action = coupon.kind === 'AMOUNT' ? 'USAGE' : 'RESERVE';
    this.note(
      em,
      { tenantId, couponId: coupon.id, orderId, action, amount: `-${amount}`, cause: 'ORDER' },
      now,
    );
  }

  /** On payment: coupons that are RESERVED by this order become USED. */
  async consume(em: Em, tenantId: string, orderId: Id, now: Date): Promise<void> {
    const taken = (await takenByOrders(em, [orderId])).get(orderId) ?? new Map<Id, string>();
    if (taken.size === 0) return;
    for (const coupon of (await lockCoupons(em, [...taken.keys()])).values()) {
      if (coupon.status !== 'RESERVED' || coupon.reservedOrderId !== orderId) continue;
      change(coupon, consumedBy(orderId));
      const amount = `-${present(taken.get(coupon.id), 'What an order took')}`;
      this.note(em, { tenantId, couponId: coupon.id, orderId, action: 'USAGE', amount, cause: 'ORDER' }, now);
    }
    await em.flush();
  }

  /** As {@link giveBackAll}, of one order. @returns what came back now */
  async giveBack(
    em: Em,
    tenantId: string,
    orderId: Id,
    cause: GiveBackCause,
    now: Date,
  ): Promise<CouponAmount[]> {
    return (await this.giveBackAll(em, tenantId, [orderId], cause, now)).get(orderId) ?? [];
  }

  /**
   * When orders are closed or wholly refunded: every coupon gets back exactly what it gave, once for an order and a
   * coupon, whatever the cause. All coupons are locked by one statement. @returns by order, what came back now
   */
  async giveBackAll(
    em: Em,
    tenantId: string,
    orderIds: readonly Id[],
    cause: GiveBackCause,
    now: Date,
  ): Promise<Map<Id, CouponAmount[]>> {
    if (orderIds.length === 0) return new Map();
    const taken = await takenByOrders(em, sortedIds(orderIds));
    const couponIds = [...taken.values()].flatMap((own) => [...own.keys()]);
    if (couponIds.length === 0) return new Map();
    const held = await lockCouponRows(em, couponIds);
    const refunded = await refundedByOrders(em, orderIds);
    const changed = new Set<UserCoupon>();
    const given = new Map<Id, CouponAmount[]>();
    for (const [orderId, own] of taken) {
      const isDue = (id: Id): boolean => refunded.get(orderId)?.has(id) !== true;
      const amounts = sortedIds(own.keys())
        .filter(isDue)
        .map((couponId) => ({ couponId, amount: present(own.get(couponId), 'What an order took') }));
      given.set(orderId, amounts);
      for (const { couponId, amount } of amounts) {
        const coupon = present(held.get(couponId), 'A coupon that an order took');
        Object.assign(coupon, givenBackBy(coupon, amount, orderId, now.getTime()));
        changed.add(coupon);
        this.note(em, { tenantId, couponId, orderId, action: 'REFUND', amount, cause }, now);
      }
    }
    await writeCoupons(em, tenantId, [...changed]);
    await em.flush();
    return given;
  }

  private note(em: Em, entry: Entry, createdAt: Date): void {
    em.create(CouponLedger, { ...entry, id: this.ids.next(), createdAt });
  }
}

function change(coupon: UserCoupon, values: Partial<UserCoupon>): void {
  Object.assign(coupon, values, { version: coupon.version + 1 });
}
