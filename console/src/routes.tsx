import { createRouter } from '@tanstack/react-router';
import { accountRoute } from './pages/account/account.routes';
import { announcementsRoute } from './pages/announcements/announcements.routes';
import { auditEntryRoute, auditLogRoute } from './pages/audit/audit.routes';
import { batchesRoute, batchRoute } from './pages/batches/batches.routes';
import { campaignRoute, campaignsRoute } from './pages/campaigns/campaigns.routes';
import { deadLettersRoute, healthRoute, reconciliationRoute } from './pages/operations/operations.routes';
import { codeRoute, codesRoute } from './pages/codes/codes.routes';
import { couponsRoute, couponTemplateRoute, couponTemplatesRoute } from './pages/coupons/coupons.routes';
import {
  accountsRoute,
  currenciesRoute,
  entriesRoute,
  facilitiesRoute,
  transfersRoute,
} from './pages/money/money.routes';
import { nodesRoute } from './pages/nodes/nodes.routes';
import { orderRoute, ordersRoute } from './pages/orders/orders.routes';
import { overviewRoute } from './pages/overview/overview.routes';
import { partnerRoute, partnersRoute } from './pages/partners/partners.routes';
import { planRoute, plansRoute } from './pages/plans/plans.routes';
import { productLinesRoute } from './pages/product-lines/product-lines.routes';
import { rateLimitsRoute } from './pages/rate-limits/rate-limits.routes';
import { redemptionRoute, redemptionsRoute } from './pages/redemptions/redemptions.routes';
import { refusalsRoute } from './pages/refusals/refusals.routes';
import { sessionsRoute } from './pages/sessions/sessions.routes';
import { settingsRoute } from './pages/settings/settings.routes';
import { invitationRoute, oidcRoute, signInRoute } from './pages/sign-in/sign-in.routes';
import { staffRoute } from './pages/staff/staff.routes';
import { tenantsRoute } from './pages/tenants/tenants.routes';
import { tokenIssuerRoute } from './pages/token-issuer/token-issuer.routes';
import { userRoute, usersRoute } from './pages/users/users.routes';
import { deliveriesRoute, webhooksRoute } from './pages/webhooks/webhooks.routes';
import { FailedPage } from './shell/failed-page';
import { NotFoundPage } from './shell/not-found-page';
import { homeRoute, rootRoute, shellRoute } from './shell/shell.routes';

/** All pages: those that need no sign-in, and within the shell those that do. */
const routeTree = rootRoute.addChildren([
  signInRoute,
  oidcRoute,
  invitationRoute,
  shellRoute.addChildren([
    homeRoute,
    overviewRoute,
    campaignsRoute,
    campaignRoute,
    plansRoute,
    planRoute,
    accountRoute,
    webhooksRoute,
    deliveriesRoute,
    accountsRoute,
    entriesRoute,
    transfersRoute,
    currenciesRoute,
    facilitiesRoute,
    couponTemplatesRoute,
    couponTemplateRoute,
    couponsRoute,
    nodesRoute,
    rateLimitsRoute,
    refusalsRoute,
    auditLogRoute,
    auditEntryRoute,
    codesRoute,
    codeRoute,
    batchesRoute,
    batchRoute,
    partnersRoute,
    partnerRoute,
    usersRoute,
    userRoute,
    redemptionsRoute,
    redemptionRoute,
    ordersRoute,
    orderRoute,
    staffRoute,
    sessionsRoute,
    tokenIssuerRoute,
    tenantsRoute,
    announcementsRoute,
    settingsRoute,
    productLinesRoute,
    deadLettersRoute,
    reconciliationRoute,
    healthRoute,
  ]),
]);

export const router = createRouter({
  routeTree,
  basepath: '/console',
  defaultPreload: 'intent',
  defaultErrorComponent: FailedPage,
  defaultNotFoundComponent: NotFoundPage,
  scrollRestoration: true,
  // Everything in the address is text: the presets would read a long id as a number, and round it.
  parseSearch: (search) => Object.fromEntries(new URLSearchParams(search)),
  stringifySearch: (search) => {
    const given = Object.entries(search).filter(([, value]) => value !== undefined && value !== '');
    const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
    return text === '' ? '' : `?${text}`;
  },
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
