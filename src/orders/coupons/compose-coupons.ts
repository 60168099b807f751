import { externalUserIdOf, type ExternalUserIds } from '../../identity/identity.module.js';
import type { PlatformServices } from '../../platform/platform-services.js';
import type { Job } from '../../platform/scheduling/job.js';
import type { RewardHandler } from '../../rewards/reward-handler.js';
import type { CurrencyScales } from '../currency-scales.js';
import { ExpirySweep } from '../expiry-sweep.js';
import { expiringCoupons } from './coupon-expiry.js';
import { CouponIssueService } from './coupon-issue.service.js';
import { CouponLedger, OrderCoupon } from './coupon-ledger.entity.js';
import { CouponReader } from './coupon-reader.service.js';
import { CouponRewardHandler } from './coupon-reward.handler.js';
import { CouponTemplate } from './coupon-template.entity.js';
import { CouponTemplateResolver } from './coupon-template.resolver.js';
import { CouponTemplateService } from './coupon-template.service.js';
import { CouponResolver } from './coupon.resolver.js';
import { CouponService } from './coupon.service.js';
import { CouponType } from './coupon.types.js';
import { UserCoupon } from './user-coupon.entity.js';

export interface CouponParts extends Pick<
  PlatformServices,
  'orm' | 'readOrm' | 'ids' | 'clock' | 'transactions' | 'log'
> {
  readonly externalUserIds: ExternalUserIds;
  readonly currencyScales: CurrencyScales;
  /** What all coupons of an order together may take off. */
  readonly sharePercent: number;
}

const SWEEP_EVERY_MS = 60_000;
const CouponUser = externalUserIdOf(CouponType);

export const COUPON_ENTITIES = [CouponTemplate, UserCoupon, OrderCoupon, CouponLedger];
export const COUPON_RESOLVERS = [CouponTemplateResolver, CouponResolver, CouponUser];

export function composeCoupons(its: CouponParts) {
  const couponTemplates = new CouponTemplateService(its);
  const couponIssues = new CouponIssueService(its);
  const couponReader = new CouponReader(its);
  const couponExpiry = new ExpirySweep(its, expiringCoupons(its.ids));
  const coupons = new CouponService(its.ids, its.sharePercent);
  const handler: RewardHandler = new CouponRewardHandler(its.ids, couponTemplates);
  const sweep: Job = {
    name: 'expire-coupons',
    everyMs: SWEEP_EVERY_MS,
    where: 'IN_ONE',
    run: async () => couponExpiry.run(),
  };
  return {
    services: { coupons, couponTemplates, couponIssues, couponReader, couponExpiry },
    resolvers: [
      new CouponTemplateResolver(couponTemplates),
      new CouponResolver(couponIssues, couponReader, couponTemplates),
      new CouponUser(its.externalUserIds),
    ],
    jobs: [sweep],
    handler,
  };
}
