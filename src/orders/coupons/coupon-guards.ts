import { DomainError } from '../../platform/errors.js';
import { Money } from '../../platform/decimal.js';
import type { Id } from '../../platform/ids.js';
import type { CouponRefusal } from './coupon.errors.js';
import { couponStatusAt } from './coupon-state.js';
import type { UserCoupon } from './user-coupon.entity.js';

const COUPONS_MAX = 20;

/** What an order says of itself to its coupons. */
interface GuardedOrder {
  readonly userId: Id;
  readonly currency: string;
  readonly total: string;
}

interface Guard {
  readonly code: CouponRefusal;
  readonly means: (couponId: Id, order: GuardedOrder) => string;
  readonly refuses: (coupon: UserCoupon, order: GuardedOrder, nowMs: number) => boolean;
}

/** In order of precedence; each is asked of all coupons before the next. */
const GUARDS: readonly Guard[] = [
  {
    code: 'COUPON_NOT_AVAILABLE',
    means: (id) => `Coupon ${id} is used up, or reserved by another order.`,
    refuses: ({ status }) => status === 'USED' || status === 'RESERVED',
  },
  {
    code: 'COUPON_EXPIRED',
    means: (id) => `Coupon ${id} has expired.`,
    refuses: (coupon, _order, nowMs) => couponStatusAt(coupon, nowMs) === 'EXPIRED',
  },
  {
    code: 'COUPON_CURRENCY_MISMATCH',
    means: (id, { currency }) =>
      `Coupon ${id} is of another currency than the order, which is in ${currency}.`,
    refuses: (coupon, order) => coupon.currency !== order.currency,
  },
  {
    code: 'COUPON_BELOW_THRESHOLD',
    means: (id, { total }) => `The total of ${total} is less than coupon ${id} asks for.`,
    refuses: ({ minimum }, { total }) => new Money(total).lt(minimum),
  },
];

/** @throws DomainError where the list itself is at fault, before any row is read */
export function assertCouponIds(couponIds: readonly Id[]): void {
  if (couponIds.length > COUPONS_MAX)
    refuse('COUPON_COUNT_OUT_OF_RANGE', `An order takes at most ${COUPONS_MAX} coupons.`);
  if (new Set(couponIds).size < couponIds.length)
    refuse('COUPON_REPEATED', 'A coupon can be applied to an order once.');
}

/**
 * The coupons in the given order, each of them usable for the order. Another user's is answered as one that is not there.
 * @throws DomainError the first of {@link COUPON_REFUSALS} that applies to any of them
 */
export function usableCoupons(
  couponIds: readonly Id[],
  held: ReadonlyMap<Id, UserCoupon>,
  order: GuardedOrder,
  nowMs: number,
): UserCoupon[] {
  const coupons = couponIds.map((id) => {
    const coupon = held.get(id);
    if (coupon?.userId === order.userId) return coupon;
    return refuse('COUPON_NOT_FOUND', `The user has no coupon ${JSON.stringify(id)}.`);
  });
  for (const { code, means, refuses } of GUARDS) {
    const refused = coupons.find((coupon) => refuses(coupon, order, nowMs));
    if (refused !== undefined) refuse(code, means(refused.id, order));
  }
  return coupons;
}

function refuse(code: CouponRefusal, message: string): never {
  throw new DomainError(code, message, { field: ['input', 'couponIds'] });
}
