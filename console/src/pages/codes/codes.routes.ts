import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { choiceFilter, listSearch, periodFilter, textFilter } from '../../kit/search';
import { shellRoute } from '../../shell/shell.routes';
import { EFFECTIVE_STATUSES } from './code-terms';

export const codesRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/codes',
  validateSearch: listSearch({
    text: textFilter(),
    campaignId: textFilter(),
    batchId: textFilter(),
    status: choiceFilter(EFFECTIVE_STATUSES),
    ...periodFilter(),
  }),
  component: lazyRouteComponent(() => import('./codes-page'), 'CodesPage'),
});

export const codeRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/codes/$id',
  component: lazyRouteComponent(() => import('./code-page'), 'CodePage'),
});
