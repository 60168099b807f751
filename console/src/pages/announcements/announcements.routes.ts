import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { listSearch } from '../../kit/search';
import { shellRoute } from '../../shell/shell.routes';

export const announcementsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/announcements',
  validateSearch: listSearch({}),
  component: lazyRouteComponent(() => import('./announcements-page'), 'AnnouncementsPage'),
});
