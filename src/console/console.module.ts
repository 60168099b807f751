import type { OidcSignInService } from '../identity/staff/oidc-sign-in.service.js';
import type { StaffSignInService } from '../identity/staff/staff-sign-in.service.js';
import type { StaffService } from '../identity/staff/staff.service.js';
import type { PlatformServices } from '../platform/platform-services.js';
import { CONSOLE_PERMISSIONS } from './console.permissions.js';
import { consoleRoutes } from './console.routes.js';
import { OneTimeLinks } from './one-time-links.redis.js';
import { SharedRefreshes } from './shared-refreshes.redis.js';

interface Needs extends Pick<PlatformServices, 'redis' | 'ids'> {
  readonly staff: StaffService;
  readonly staffSignIns: StaffSignInService;
  readonly staffOidc: OidcSignInService;
}

/** The server's side of the web console: how a browser signs in. Its pages are served by the transport. */
export const webConsole = {
  name: 'console',
  permissions: CONSOLE_PERMISSIONS,
  compose: ({ redis, ids, staff, staffSignIns, staffOidc }: Needs) => {
    const consoleLinks = new OneTimeLinks(redis);
    const refreshes = new SharedRefreshes(redis);
    const parts = { signIns: staffSignIns, oidc: staffOidc, staff, links: consoleLinks, refreshes, ids };
    return { services: { consoleLinks }, routes: consoleRoutes(parts) };
  },
};
