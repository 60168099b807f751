import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { choiceFilter, listSearch, textFilter } from '../../kit/search';
import { shellRoute } from '../../shell/shell.routes';
import { STATUSES, TYPES } from './tenant-terms';

export const tenantsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/tenants',
  validateSearch: listSearch({
    part: textFilter(),
    status: choiceFilter(STATUSES),
    type: choiceFilter(TYPES),
  }),
  component: lazyRouteComponent(() => import('./tenants-page'), 'TenantsPage'),
});
