import { DomainError } from '../platform/errors.js';

/** The cookie is sent to the routes under this path only, and never to `/graphql`. */
export const SESSION_PATH = '/console/session';
const NAME = 'redeemkit_session';

type Headers = Readonly<Record<string, string | undefined>>;

/** The refresh token of the browser; null where it sends none. */
export function sessionCookieOf({ cookie = '' }: Headers): string | null {
  const pairs = cookie.split(/;\s*/).map((pair) => pair.split('='));
  const value = pairs.find(([name]) => name === NAME)?.[1] ?? '';
  return value === '' ? null : value;
}

/**
 * No script reads it, and no other site sends it. `SameSite` ignores ports, so the routes check the origin, too. The
 * scheme is that of the page, which the browser itself states in `origin`: a proxy may end TLS before this process.
 */
export function sessionCookie(headers: Headers, refreshToken: string, expiresAt: Date): string {
  return `${NAME}=${refreshToken}; ${attributes(headers)}; Expires=${expiresAt.toUTCString()}`;
}

export function noSessionCookie(headers: Headers): string {
  return `${NAME}=; ${attributes(headers)}; Max-Age=0`;
}

function attributes({ origin = '' }: Headers): string {
  return `Path=${SESSION_PATH}; HttpOnly; SameSite=Strict${origin.startsWith('https:') ? '; Secure' : ''}`;
}

/** @throws DomainError ORIGIN_FOREIGN unless the browser says that a page of this server sends the request */
export function requireOwnPage(headers: Headers): void {
  const { origin = '', host } = headers;
  const site = headers['sec-fetch-site'];
  const isOwn =
    URL.canParse(origin) && (site === undefined ? new URL(origin).host === host : site === 'same-origin');
  if (!isOwn) throw new DomainError('ORIGIN_FOREIGN', 'Only pages of this server may use this route.');
}
