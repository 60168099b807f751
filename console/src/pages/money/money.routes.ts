import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { choiceFilter, listSearch, textFilter } from '../../kit/search';
import { shellRoute } from '../../shell/shell.routes';

export const accountsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/accounts',
  validateSearch: listSearch({
    userId: textFilter(),
    currency: textFilter(),
    state: choiceFilter(['ACTIVE', 'HALTED'] as const),
  }),
  component: lazyRouteComponent(() => import('./accounts-page'), 'AccountsPage'),
});

export const entriesRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/entries',
  validateSearch: listSearch({
    accountId: textFilter(),
    orderId: textFilter(),
    currency: textFilter(),
    from: textFilter(),
    to: textFilter(),
  }),
  component: lazyRouteComponent(() => import('./entries-page'), 'EntriesPage'),
});
