import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { choiceFilter, listSearch, periodFilter, textFilter } from '../../kit/search';
import { shellRoute } from '../../shell/shell.routes';
import { ENTRY_TYPES } from './money-terms';

export const accountsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/accounts',
  validateSearch: listSearch({
    userId: textFilter(),
    facilityId: textFilter(),
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
    userId: textFilter(),
    type: choiceFilter(ENTRY_TYPES),
    orderId: textFilter(),
    currency: textFilter(),
    ...periodFilter(),
  }),
  component: lazyRouteComponent(() => import('./entries-page'), 'EntriesPage'),
});

export const transfersRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/transfers',
  validateSearch: listSearch({
    userId: textFilter(),
    orderId: textFilter(),
    facilityId: textFilter(),
    currency: textFilter(),
    ...periodFilter(),
  }),
  component: lazyRouteComponent(() => import('./transfers-page'), 'TransfersPage'),
});

export const currenciesRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/currencies',
  component: lazyRouteComponent(() => import('./currencies-page'), 'CurrenciesPage'),
});

export const facilitiesRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/facilities',
  validateSearch: listSearch({}),
  component: lazyRouteComponent(() => import('./facilities-page'), 'FacilitiesPage'),
});
