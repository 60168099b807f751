import { addUnits } from '../../rewards/calendar.js';
import type { Id } from '../../platform/ids.js';
import type { CouponKind } from './coupon-template.entity.js';
import type { CouponTemplateRefusal } from './coupon.errors.js';

/** What the issue of coupons has to know of their template. */
export interface TemplateTerms {
  readonly id: Id;
  readonly kind: CouponKind;
  readonly currency: string;
  readonly amount: string;
  readonly minimum: string;
  readonly rateMille: number;
  readonly issueLimit?: number | null | undefined;
  readonly issued: number;
  readonly validDays?: number | null | undefined;
  readonly startsAt?: Date | null | undefined;
  readonly endsAt?: Date | null | undefined;
  readonly enabled: boolean;
}

/** Who issued a coupon: a reward, or staff with a key or without. */
export interface CouponSource {
  readonly redemptionId: Id | null;
  readonly rewardNo: number | null;
  readonly idempotencyKey: string | null;
  readonly argumentsDigest: string | null;
}

/** A coupon as it is issued, before its row is written. */
export interface NewCoupon extends CouponSource {
  readonly id: Id;
  readonly userId: Id;
  readonly template: TemplateTerms;
  readonly expiresAt: Date | null;
  readonly ordinal: number;
  readonly createdAt: Date;
}

/** Why a template does not give this many coupons now; null where it does. In order of precedence. */
export function templateRefusal(
  { enabled, startsAt, endsAt, issueLimit, issued }: TemplateTerms,
  count: number,
  nowMs: number,
): CouponTemplateRefusal | null {
  if (!enabled) return 'COUPON_TEMPLATE_DISABLED';
  if (startsAt && nowMs < startsAt.getTime()) return 'COUPON_TEMPLATE_NOT_STARTED';
  if (endsAt && nowMs >= endsAt.getTime()) return 'COUPON_TEMPLATE_ENDED';
  const isOver = issueLimit !== null && issueLimit !== undefined && issued + count > issueLimit;
  return isOver ? 'ISSUE_LIMIT_REACHED' : null;
}

/** When a coupon that is issued now expires: after its days, and not later than its template ends. */
export function couponExpiry(
  { validDays, endsAt }: Pick<TemplateTerms, 'validDays' | 'endsAt'>,
  nowMs: number,
): Date | null {
  const afterMs = validDays ? addUnits(nowMs, 'DAY', validDays) : null;
  const ends = [afterMs, endsAt?.getTime() ?? null].filter((ms) => ms !== null);
  return ends.length === 0 ? null : new Date(Math.min(...ends));
}
