import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { listSearch, periodFilter, textFilter } from '../../kit/search';
import { shellRoute } from '../../shell/shell.routes';

export const auditLogRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/audit-log',
  validateSearch: listSearch({
    operation: textFilter(),
    actor: textFilter(),
    target: textFilter(),
    ...periodFilter(),
  }),
  component: lazyRouteComponent(() => import('./audit-log-page'), 'AuditLogPage'),
});

export const auditEntryRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/audit-log/$id',
  component: lazyRouteComponent(() => import('./audit-entry-page'), 'AuditEntryPage'),
});
