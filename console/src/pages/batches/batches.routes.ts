import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { listSearch, textFilter } from '../../kit/search';
import { shellRoute } from '../../shell/shell.routes';

export const batchesRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/batches',
  validateSearch: listSearch({ campaignId: textFilter() }),
  component: lazyRouteComponent(() => import('./batches-page'), 'BatchesPage'),
});

export const batchRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/batches/$id',
  component: lazyRouteComponent(() => import('./batch-page'), 'BatchPage'),
});
