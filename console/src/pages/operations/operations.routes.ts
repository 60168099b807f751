import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { listSearch } from '../../kit/search';
import { shellRoute } from '../../shell/shell.routes';

export const deadLettersRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/dead-letters',
  validateSearch: listSearch({}),
  component: lazyRouteComponent(() => import('./dead-letters-page'), 'DeadLettersPage'),
});

export const reconciliationRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/reconciliation',
  component: lazyRouteComponent(() => import('./reconciliation-page'), 'ReconciliationPage'),
});

export const healthRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/health',
  component: lazyRouteComponent(() => import('./health-page'), 'HealthPage'),
});
