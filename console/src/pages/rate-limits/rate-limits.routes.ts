import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { choiceFilter, listSearch, textFilter } from '../../kit/search';
import { shellRoute } from '../../shell/shell.routes';
import { SCOPES } from './rate-limit-terms';

export const rateLimitsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/rate-limits',
  validateSearch: listSearch({
    productCode: textFilter(),
    scope: choiceFilter(SCOPES),
    userId: textFilter(),
    deviceId: textFilter(),
    ip: textFilter(),
  }),
  component: lazyRouteComponent(() => import('./rate-limits-page'), 'RateLimitsPage'),
});
