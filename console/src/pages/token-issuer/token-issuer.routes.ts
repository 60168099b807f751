import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { shellRoute } from '../../shell/shell.routes';

export const tokenIssuerRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/token-issuer',
  component: lazyRouteComponent(() => import('./token-issuer-page'), 'TokenIssuerPage'),
});
