import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { choiceFilter, listSearch, periodFilter, textFilter } from '../../kit/search';
import { shellRoute } from '../../shell/shell.routes';
import { REFUSALS } from './refusal-terms';

export const refusalsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/refusals',
  validateSearch: listSearch({
    code: textFilter(),
    user: textFilter(),
    refusal: choiceFilter(REFUSALS),
    ...periodFilter(),
  }),
  component: lazyRouteComponent(() => import('./refusals-page'), 'RefusalsPage'),
});
