import { z } from 'zod';
import type { Clock } from '../../platform/clock.js';
import { withoutPlace } from '../../platform/scheduling/held-place.js';
import { OidcRefusedError, type OidcClient } from './oidc-client.js';
import type { SecretBox } from './secret-box.js';
import { TENANT_ID, type StaffSession, type StaffSignInService } from './staff-sign-in.service.js';
import type { StaffService } from './staff.service.js';
import { staffRefusal } from './staff.errors.js';

const FLOW = 'oidc flow';
/** A person may have to look for a password. */
const FLOW_MS = 10 * 60_000;

const flowForm = z.strictObject({
  tenantId: z.string(),
  endMs: z.number(),
  checks: z.strictObject({ state: z.string(), nonce: z.string(), verifier: z.string() }),
});

export interface OidcParts {
  /** Null where no provider is configured. */
  readonly client: OidcClient | null;
  readonly box: SecretBox;
  readonly clock: Clock;
  readonly staff: StaffService;
  readonly signIns: StaffSignInService;
}

export interface BegunSignIn {
  /** Where the browser goes. */
  readonly authorizationUrl: string;
  /** For the second half; the page must keep it secret. */
  readonly flowToken: string;
}

/**
 * Sign-in by a provider of OpenID Connect, in two halves. Nothing is stored between them: the page keeps an encrypted
 * token with state, nonce and the verifier of PKCE, so a code from a sign-in begun elsewhere is of no use.
 * Only invited accounts get in, by an address that the provider has verified.
 */
export class OidcSignInService {
  constructor(private readonly its: OidcParts) {}

  /** @throws DomainError one of `BEGIN_OIDC_REFUSALS` */
  async begin(tenantId: string | null): Promise<BegunSignIn> {
    if (tenantId === null || !TENANT_ID.test(tenantId)) throw staffRefusal('TENANT_REQUIRED');
    const client = this.client();
    const { url, checks } = await withoutPlace(async () => client.begin());
    const flow = { tenantId, endMs: this.its.clock.nowMs() + FLOW_MS, checks };
    return { authorizationUrl: url, flowToken: this.its.box.seal(JSON.stringify(flow), FLOW) };
  }

  /** @param callbackUrl where the provider sent the browser; only its query is used. @throws DomainError one of `COMPLETE_OIDC_REFUSALS` */
  async complete(flowToken: string, callbackUrl: string, ip: string | null = null): Promise<StaffSession> {
    const client = this.client();
    const opened = this.its.box.open(flowToken, FLOW);
    const flow = opened === null ? null : flowForm.parse(JSON.parse(opened.plain));
    if (flow === null || flow.endMs <= this.its.clock.nowMs()) throw staffRefusal('FLOW_UNKNOWN');
    const asked = withoutPlace(async () => client.verifiedEmail(queryOf(callbackUrl), flow.checks));
    const email = await asked.catch((error: unknown) => {
      throw error instanceof OidcRefusedError ? staffRefusal('PROVIDER_REFUSED') : error;
    });
    const account = await this.its.staff.findByEmail(flow.tenantId, email);
    const session = account === null ? null : await this.its.signIns.openProven(account, ip);
    if (session === null) throw staffRefusal('SIGN_IN_REFUSED');
    return session;
  }

  private client(): OidcClient {
    if (this.its.client === null) throw staffRefusal('OIDC_OFF');
    return this.its.client;
  }
}

function queryOf(url: string): string {
  return URL.canParse(url) ? new URL(url).search : '';
}
