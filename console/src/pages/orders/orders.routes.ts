import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { choiceFilter, listSearch, periodFilter, textFilter } from '../../kit/search';
import { shellRoute } from '../../shell/shell.routes';
import { PAYMENT_STATES, STATUSES, TYPES } from './order-terms';

export const ordersRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/orders',
  validateSearch: listSearch({
    orderNo: textFilter(),
    user: textFilter(),
    type: choiceFilter(TYPES),
    status: choiceFilter(STATUSES),
    payment: choiceFilter(PAYMENT_STATES),
    ...periodFilter(),
  }),
  component: lazyRouteComponent(() => import('./orders-page'), 'OrdersPage'),
});

export const orderRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/orders/$orderNo',
  component: lazyRouteComponent(() => import('./order-page'), 'OrderPage'),
});
