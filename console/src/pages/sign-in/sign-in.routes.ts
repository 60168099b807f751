import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import * as z from 'zod/mini';
import { textFilter } from '../../kit/search';
import { rootRoute } from '../../shell/shell.routes';

export const signInRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/sign-in',
  /** Where to go afterwards, and what is known of the account. */
  validateSearch: z.object({ to: textFilter(), tenant: textFilter(), email: textFilter() }),
  component: lazyRouteComponent(() => import('./sign-in-page'), 'SignInPage'),
});

/** Where the sign-in provider sends the browser back; `OIDC_REDIRECT_URI` names this page. */
export const oidcRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/sign-in/oidc',
  component: lazyRouteComponent(() => import('./oidc-page'), 'OidcPage'),
});

export const invitationRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/invitation',
  component: lazyRouteComponent(() => import('./invitation-page'), 'InvitationPage'),
});
