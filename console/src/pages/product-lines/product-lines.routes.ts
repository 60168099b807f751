import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { shellRoute } from '../../shell/shell.routes';

export const productLinesRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/product-lines',
  component: lazyRouteComponent(() => import('./product-lines-page'), 'ProductLinesPage'),
});
