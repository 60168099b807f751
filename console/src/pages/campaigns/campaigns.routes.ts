import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { choiceFilter, listSearch } from '../../kit/search';
import { shellRoute } from '../../shell/shell.routes';
import { STATUSES } from './campaign-status';

export const campaignsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/campaigns',
  validateSearch: listSearch({ status: choiceFilter(STATUSES) }),
  component: lazyRouteComponent(() => import('./campaigns-page'), 'CampaignsPage'),
});

export const campaignRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/campaigns/$id',
  component: lazyRouteComponent(() => import('./campaign-page'), 'CampaignPage'),
});
