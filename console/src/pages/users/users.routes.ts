import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { choiceFilter, listSearch, textFilter } from '../../kit/search';
import { shellRoute } from '../../shell/shell.routes';

export const usersRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/users',
  validateSearch: listSearch({
    prefix: textFilter(),
    tag: textFilter(),
    status: choiceFilter(['ACTIVE', 'DISABLED'] as const),
  }),
  component: lazyRouteComponent(() => import('./users-page'), 'UsersPage'),
});

export const userRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/users/$id',
  component: lazyRouteComponent(() => import('./user-page'), 'UserPage'),
});
