import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { choiceFilter, listSearch } from '../../kit/search';
import { shellRoute } from '../../shell/shell.routes';

export const nodesRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/nodes',
  validateSearch: listSearch({ status: choiceFilter(['ENABLED', 'DISABLED']) }),
  component: lazyRouteComponent(() => import('./nodes-page'), 'NodesPage'),
});
