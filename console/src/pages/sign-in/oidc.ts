import { act } from '../../api/graphql';
import { session } from '../../api/session';
import { rememberTenant } from './tenant';
import { BeginStaffOidcDocument } from './sign-in.gql';

/** Holds what completes the sign-in, in this tab only, while the browser is at the provider. */
const KEY = 'redeemkit.oidc-flow';

/** The server writes into the page whether it has a provider. */
export const hasOidc = (): boolean => document.documentElement.dataset['oidc'] === 'on';

export async function beginOidc(tenant: string): Promise<void> {
  const tenantId = tenant.trim().toUpperCase();
  const { authorizationUrl, flowToken } = await act(BeginStaffOidcDocument, { input: { tenantId } });
  if (authorizationUrl === null || flowToken === null) return;
  rememberTenant(tenantId);
  sessionStorage.setItem(KEY, flowToken);
  location.assign(authorizationUrl);
}

export async function completeOidc(callbackUrl: string): Promise<void> {
  const flowToken = sessionStorage.getItem(KEY) ?? '';
  sessionStorage.removeItem(KEY);
  await session.completeOidc(flowToken, callbackUrl);
}
