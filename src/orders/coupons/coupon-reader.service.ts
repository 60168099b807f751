import type { FilterQuery } from '@mikro-orm/core';
import { EMPTY_PAGE, findPage, type Page, type PageRange } from '../../platform/database/find-page.js';
import { tenantEm } from '../../platform/database/orm.js';
import { isId, type Id } from '../../platform/ids.js';
import type { PlatformServices } from '../../platform/platform-services.js';
import { couponStatusAt } from './coupon-state.js';
import { UserCoupon, type CouponStatus } from './user-coupon.entity.js';

export interface CouponFilter {
  readonly userId?: Id | null;
  readonly templateId?: Id | null;
  /** As it is shown: EXPIRED also before the sweep has seen it. */
  readonly status?: CouponStatus | null;
}

/** Lists of coupons. Each shows, and is found by, its status at this instant. */
export class CouponReader {
  constructor(private readonly its: Pick<PlatformServices, 'readOrm' | 'clock'>) {}

  /** Newest first. */
  async page(tenantId: string, filter: CouponFilter, range: PageRange): Promise<Page<UserCoupon>> {
    const { userId, templateId, status } = filter;
    if ([userId, templateId].some((id) => id && !isId(id))) return EMPTY_PAGE;
    const nowMs = this.its.clock.nowMs();
    const where = {
      ...(userId && { userId }),
      ...(templateId && { templateId }),
      ...(status && shownAs(status, new Date(nowMs))),
    };
    const page = await findPage(tenantEm(this.its.readOrm, tenantId), UserCoupon, where, range);
    return { ...page, items: page.items.map((coupon) => this.shown(coupon, nowMs)) };
  }

  /** As it is to be shown. */
  shown(coupon: UserCoupon, nowMs = this.its.clock.nowMs()): UserCoupon {
    return { ...coupon, status: couponStatusAt(coupon, nowMs) };
  }
}

function shownAs(status: CouponStatus, now: Date): FilterQuery<UserCoupon> {
  if (status === 'AVAILABLE') return { status, $or: [{ expiresAt: null }, { expiresAt: { $gt: now } }] };
  if (status === 'EXPIRED') return { $or: [{ status }, { status: 'AVAILABLE', expiresAt: { $lte: now } }] };
  return { status };
}
