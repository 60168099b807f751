import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { choiceFilter, listSearch } from '../../kit/search';
import { shellRoute } from '../../shell/shell.routes';

export const partnersRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/partners',
  validateSearch: listSearch({ status: choiceFilter(['ACTIVE', 'DISABLED'] as const) }),
  component: lazyRouteComponent(() => import('./partners-page'), 'PartnersPage'),
});

export const partnerRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/partners/$id',
  component: lazyRouteComponent(() => import('./partner-page'), 'PartnerPage'),
});
