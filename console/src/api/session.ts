import { Refusal, RequestFailure, type Refused } from './failure';

/** The access token is renewed this long before it expires. */
const RENEW_BEFORE_MS = 30_000;
const PATH = '/console/session';
/** Only one tab of the browser renews at a time: all of them share the cookie. */
const LOCK = 'redeemkit-session';

type State = 'UNKNOWN' | 'SIGNED_IN' | 'SIGNED_OUT';

interface Opened {
  readonly accessToken: string | null;
  readonly expiresAt: string | null;
}

/**
 * The session of this tab. The access token is in memory only; the refresh token is in a cookie that no script reads and
 * that the browser sends to `/console/session` alone.
 */
class Session {
  private token: string | null = null;
  private expiresAtMs = 0;
  private current: State = 'UNKNOWN';
  private renewal: Promise<string | null> | null = null;
  private readonly listeners = new Set<() => void>();

  get state(): State {
    return this.current;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** A token that is good for some time; null where the browser is not signed in. */
  async accessToken(): Promise<string | null> {
    if (this.token !== null && Date.now() < this.expiresAtMs - RENEW_BEFORE_MS) return this.token;
    return this.current === 'SIGNED_OUT' ? null : this.renewed();
  }

  /** Another token, after the server has refused the one before. */
  async renewed(): Promise<string | null> {
    this.renewal ??= this.renew().finally(() => (this.renewal = null));
    return this.renewal;
  }

  /** The server takes the present token no longer; the next caller asks for another. */
  distrustToken(): void {
    this.expiresAtMs = 0;
  }

  async signIn(input: {
    readonly tenantId: string;
    readonly email: string;
    readonly password: string;
    readonly totpCode?: string;
  }): Promise<void> {
    this.take(await post('', input));
  }

  async openLink(token: string): Promise<void> {
    this.take(await post('/link', { token }));
  }

  async completeOidc(flowToken: string, callbackUrl: string): Promise<void> {
    this.take(await post('/oidc', { flowToken, callbackUrl }));
  }

  async signOut(): Promise<void> {
    const token = await this.accessToken();
    await post('/end', {}, token);
    this.take({ accessToken: null, expiresAt: null });
  }

  private async renew(): Promise<string | null> {
    // Browsers have locks on secure pages only; without them the server answers equal calls alike.
    const opened = 'locks' in navigator ? await navigator.locks.request(LOCK, refresh) : await refresh();
    this.take(opened);
    return this.token;
  }

  private take({ accessToken, expiresAt }: Opened): void {
    this.token = accessToken;
    this.expiresAtMs = expiresAt === null ? 0 : Date.parse(expiresAt);
    this.current = accessToken === null ? 'SIGNED_OUT' : 'SIGNED_IN';
    for (const listener of this.listeners) listener();
  }
}

const refresh = async (): Promise<Opened> => post('/refresh', {});

async function post(path: string, body: object, token: string | null = null): Promise<Opened> {
  const reply = await fetch(`${PATH}${path}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token !== null && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
  }).catch(() => {
    throw new RequestFailure('NETWORK', 'The server cannot be reached. Check the connection and try again.');
  });
  const answer = (await reply.json().catch(() => ({}))) as Partial<Opened> & { errors?: readonly Refused[] };
  if (reply.ok) return { accessToken: answer.accessToken ?? null, expiresAt: answer.expiresAt ?? null };
  const errors = answer.errors ?? [];
  if (errors.length > 0 && reply.status < 500) throw new Refusal(errors);
  throw new RequestFailure(errors[0]?.code ?? 'SERVICE_UNAVAILABLE', errors[0]?.message ?? UNAVAILABLE);
}

const UNAVAILABLE = 'The server is not available at the moment. Try again soon.';

export const session = new Session();
