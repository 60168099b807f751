import { createRootRoute, createRoute, lazyRouteComponent, Outlet, redirect } from '@tanstack/react-router';
import { queryClient } from '../api/queries';
import { session } from '../api/session';
import { viewerOptions } from '../api/viewer';
import { navigation } from '../navigation';

export const rootRoute = createRootRoute({ component: Outlet });

/** Everything that needs a sign-in. */
export const shellRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: 'shell',
  beforeLoad: async ({ location }) => {
    if ((await session.accessToken()) === null)
      redirect({ to: '/sign-in', search: { to: location.href }, replace: true, throw: true });
    const { viewer } = await queryClient.ensureQueryData(viewerOptions);
    if ((viewer?.role ?? null) === null) redirect({ to: '/sign-in', search: {}, replace: true, throw: true });
  },
  component: lazyRouteComponent(() => import('./shell'), 'Shell'),
});

/** The first page that the member of staff may see. */
export const homeRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/',
  beforeLoad: () => {
    const [first] = navigation.flatMap(({ items }) => items);
    redirect({ to: first?.to ?? '/account', replace: true, throw: true });
  },
});
