import pLimit from 'p-limit';
import * as oidc from 'openid-client';
import { DomainError } from '../../platform/errors.js';

/** How long the provider may take for one request. */
const TIMEOUT_S = 10;
/** Requests to the provider at once, and those that may wait for their turn. */
const AT_ONCE = 4;
const WAITING_MAX = 64;
const RETRY_MS = 2000;

export interface OidcSettings {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  readonly redirectUri: string;
  /** Providers without TLS, for development and tests. */
  readonly mayBeInsecure: boolean;
}

/** The state of a sign-in, which the browser carries encrypted between its two halves. */
export interface OidcChecks {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

/** The provider refused the sign-in, or its answer is not valid. */
export class OidcRefusedError extends Error {
  override readonly name = 'OidcRefusedError';
}

/** The provider's side of a sign-in: authorization code with PKCE, state and nonce; the ID token's signature is verified. */
export class OidcClient {
  private readonly limit = pLimit(AT_ONCE);
  private configuration: Promise<oidc.Configuration> | null = null;

  constructor(private readonly settings: OidcSettings) {}

  /** The URL for the browser, and the checks of its return. @throws DomainError PROVIDER_UNAVAILABLE */
  async begin(): Promise<{ readonly url: string; readonly checks: OidcChecks }> {
    const config = await this.discovered();
    const checks = {
      state: oidc.randomState(),
      nonce: oidc.randomNonce(),
      verifier: oidc.randomPKCECodeVerifier(),
    };
    const url = oidc.buildAuthorizationUrl(config, {
      redirect_uri: this.settings.redirectUri,
      scope: 'openid email',
      state: checks.state,
      nonce: checks.nonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(checks.verifier),
      code_challenge_method: 'S256',
    });
    return { url: url.href, checks };
  }

  /**
   * The verified e-mail address of the person, by the query of the callback URL.
   * @throws OidcRefusedError
   * @throws DomainError PROVIDER_UNAVAILABLE
   */
  async verifiedEmail(query: string, { state, nonce, verifier }: OidcChecks): Promise<string> {
    const config = await this.discovered();
    const current = new URL(this.settings.redirectUri);
    current.search = query;
    const tokens = await this.asked(async () =>
      oidc.authorizationCodeGrant(config, current, {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: verifier,
        idTokenExpected: true,
      }),
    );
    const claims = tokens.claims();
    const { email, email_verified: isVerified } = (claims ?? {}) as Readonly<Record<string, unknown>>;
    if (typeof email === 'string' && isVerified === true) return email;
    throw new OidcRefusedError('The provider has not verified an e-mail address.');
  }

  /** Fetched once; after a failure the next sign-in fetches it again. */
  private async discovered(): Promise<oidc.Configuration> {
    const { issuer, clientId, clientSecret, mayBeInsecure } = this.settings;
    const execute = [
      oidc.enableNonRepudiationChecks,
      // The library marks it as deprecated so that it stands out; in production it is off.
      ...(mayBeInsecure ? [oidc.allowInsecureRequests] : []),
    ];
    const authentication = clientSecret === undefined ? oidc.None() : oidc.ClientSecretPost(clientSecret);
    this.configuration ??= this.asked(async () =>
      oidc.discovery(new URL(issuer), clientId, undefined, authentication, { timeout: TIMEOUT_S, execute }),
    ).catch((error: unknown) => {
      this.configuration = null;
      throw error;
    });
    return this.configuration;
  }

  private async asked<T>(request: () => Promise<T>): Promise<T> {
    if (this.limit.pendingCount >= WAITING_MAX)
      throw new DomainError('BUSY', 'Too many sign-ins are under way. Try again in a moment.', {
        retryAfterMs: RETRY_MS,
      });
    try {
      return await this.limit(request);
    } catch (error) {
      if (isRefusal(error)) throw new OidcRefusedError('The provider refused the sign-in.', { cause: error });
      throw new DomainError('PROVIDER_UNAVAILABLE', 'The sign-in provider does not answer. Try again later.');
    }
  }
}

/** True for a refusal or an invalid answer of the provider; false if the provider cannot be reached. */
function isRefusal(error: unknown): boolean {
  if (error instanceof oidc.AuthorizationResponseError || error instanceof oidc.ResponseBodyError)
    return true;
  const isAway =
    error instanceof Error &&
    ['OAUTH_TIMEOUT', 'OAUTH_ABORT'].includes(String((error as { code?: string }).code));
  return error instanceof oidc.ClientError && !isAway;
}
