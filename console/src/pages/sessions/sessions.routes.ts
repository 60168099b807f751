import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { choiceFilter, listSearch, textFilter } from '../../kit/search';
import { shellRoute } from '../../shell/shell.routes';

/** Which sessions are listed. */
export const SHOWN = ['OPEN', 'ENDED_TOO'] as const;

export const sessionsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/sessions',
  validateSearch: listSearch({ staffId: textFilter(), show: choiceFilter(SHOWN) }),
  component: lazyRouteComponent(() => import('./sessions-page'), 'SessionsPage'),
});
