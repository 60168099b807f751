import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { listSearch } from '../../kit/search';
import { shellRoute } from '../../shell/shell.routes';

export const plansRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/plans',
  validateSearch: listSearch({}),
  component: lazyRouteComponent(() => import('./plans-page'), 'PlansPage'),
});

export const planRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/plans/$id',
  component: lazyRouteComponent(() => import('./plan-page'), 'PlanPage'),
});
