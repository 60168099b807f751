import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { choiceFilter, listSearch } from '../../kit/search';
import { shellRoute } from '../../shell/shell.routes';
import { DELIVERY_STATUSES } from './webhook-terms';

export const webhooksRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/webhooks',
  validateSearch: listSearch({}),
  component: lazyRouteComponent(() => import('./webhooks-page'), 'WebhooksPage'),
});

export const deliveriesRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/webhooks/$id',
  validateSearch: listSearch({ status: choiceFilter(DELIVERY_STATUSES) }),
  component: lazyRouteComponent(() => import('./deliveries-page'), 'DeliveriesPage'),
});
