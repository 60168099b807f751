import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { choiceFilter, listSearch, periodFilter, textFilter } from '../../kit/search';
import { shellRoute } from '../../shell/shell.routes';

export const redemptionsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/redemptions',
  validateSearch: listSearch({
    code: textFilter(),
    user: textFilter(),
    orderNo: textFilter(),
    campaignId: textFilter(),
    codeId: textFilter(),
    status: choiceFilter(['COMMITTED', 'REVERSED'] as const),
    ...periodFilter(),
  }),
  component: lazyRouteComponent(() => import('./redemptions-page'), 'RedemptionsPage'),
});

export const redemptionRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/redemptions/$id',
  component: lazyRouteComponent(() => import('./redemption-page'), 'RedemptionPage'),
});
