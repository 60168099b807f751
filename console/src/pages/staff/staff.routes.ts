import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { choiceFilter, listSearch, textFilter } from '../../kit/search';
import { shellRoute } from '../../shell/shell.routes';
import { ROLES, STATUSES } from './staff-terms';

export const staffRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/staff',
  validateSearch: listSearch({
    email: textFilter(),
    role: choiceFilter(ROLES),
    status: choiceFilter(STATUSES),
  }),
  component: lazyRouteComponent(() => import('./staff-page'), 'StaffPage'),
});
