import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { choiceFilter, listSearch, textFilter } from '../../kit/search';
import { shellRoute } from '../../shell/shell.routes';
import { COUPON_STATUSES } from './coupon-terms';

export const couponTemplatesRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/coupon-templates',
  validateSearch: listSearch({}),
  component: lazyRouteComponent(() => import('./coupon-templates-page'), 'CouponTemplatesPage'),
});

export const couponTemplateRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/coupon-templates/$id',
  component: lazyRouteComponent(() => import('./coupon-template-page'), 'CouponTemplatePage'),
});

export const couponsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/coupons',
  validateSearch: listSearch({
    userId: textFilter(),
    templateId: textFilter(),
    status: choiceFilter(COUPON_STATUSES),
  }),
  component: lazyRouteComponent(() => import('./coupons-page'), 'CouponsPage'),
});
