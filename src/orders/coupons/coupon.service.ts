import { present } from '../../platform/assert.js';
import type { Em } from '../../platform/database/orm.js';
import { isId, sortedIds, type Id, type IdGenerator } from '../../platform/ids.js';
import type { GiveBackCause } from '../give-back.js';
import { lockCoupons, refundedByOrder, takenByOrder } from './coupon-bookings.js';
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
    const taken = await takenByOrder(em, orderId);
    if (taken.size === 0) return;
    for (const coupon of (await lockCoupons(em, [...taken.keys()])).values()) {
      if (coupon.status !== 'RESERVED' || coupon.reservedOrderId !== orderId) continue;
      change(coupon, consumedBy(orderId));
      const amount = `-${present(taken.get(coupon.id), 'What an order took')}`;
      this.note(em, { tenantId, couponId: coupon.id, orderId, action: 'USAGE', amount, cause: 'ORDER' }, now);
    }
    await em.flush();
  }

  /**
   * When the order is closed or wholly refunded: every coupon gets back exactly what it gave, once for an order and a
   * coupon, whatever the cause. @returns what came back now
   */
  async giveBack(
    em: Em,
    tenantId: string,
    orderId: Id,
    cause: GiveBackCause,
    now: Date,
  ): Promise<CouponAmount[]> {
    const taken = await takenByOrder(em, orderId);
    if (taken.size === 0) return [];
    const held = await lockCoupons(em, [...taken.keys()]);
    const refunded = await refundedByOrder(em, orderId);
    const given: CouponAmount[] = [];
    for (const couponId of sortedIds(taken.keys()).filter((id) => !refunded.has(id))) {
      const coupon = present(held.get(couponId), 'A coupon that an order took');
      const amount = present(taken.get(couponId), 'What an order took');
      change(coupon, givenBackBy(coupon, amount, orderId, now.getTime()));
      this.note(em, { tenantId, couponId, orderId, action: 'REFUND', amount, cause }, now);
      given.push({ couponId, amount });
    }
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
