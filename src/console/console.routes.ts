import { z } from 'zod';
import type {
  HttpRoute,
  RouteAbout,
  RouteAnswer,
  RouteRefusal,
  RouteRequest,
} from '../graphql/http-route.js';
import { REFRESH_SESSION_REFUSALS } from '../identity/sessions/session.service.js';
import type { OidcSignInService } from '../identity/staff/oidc-sign-in.service.js';
import type { StaffSession, StaffSignInService } from '../identity/staff/staff-sign-in.service.js';
import type { StaffService } from '../identity/staff/staff.service.js';
import { DomainError } from '../platform/errors.js';
import type { IdGenerator } from '../platform/ids.js';
import { parseInput } from '../platform/input.js';
import type { OneTimeLinks } from './one-time-links.redis.js';
import {
  noSessionCookie,
  requireOwnPage,
  SESSION_PATH,
  sessionCookie,
  sessionCookieOf,
} from './session-cookie.js';
import type { SharedRefreshes } from './shared-refreshes.redis.js';

export interface SessionRouteParts {
  readonly signIns: StaffSignInService;
  readonly oidc: OidcSignInService;
  readonly staff: StaffService;
  readonly links: OneTimeLinks;
  readonly refreshes: SharedRefreshes;
  readonly ids: IdGenerator;
}

const text = z.string().max(4096);
const passwordForm = z.strictObject({
  tenantId: text,
  email: text,
  password: text,
  totpCode: text.nullish(),
});
const linkForm = z.strictObject({ token: text });
const oidcForm = z.strictObject({ flowToken: z.string().max(16_384), callbackUrl: z.string().max(16_384) });
const emptyForm = z.strictObject({});

/** What the page keeps, in memory only; the refresh token is in the cookie. Null where the browser is not signed in. */
const openedAnswer = z.object({ accessToken: z.string().nullable(), expiresAt: z.string().nullable() });
const SIGNED_OUT = { accessToken: null, expiresAt: null };

/** A session as JSON. */
interface Stored extends Omit<StaffSession, 'staff' | 'expiresAt' | 'refreshExpiresAt'> {
  readonly expiresAt: string;
  readonly refreshExpiresAt: string;
}

const ENDS: ReadonlySet<string> = new Set(REFRESH_SESSION_REFUSALS);
const hasEnded = (error: unknown): boolean => error instanceof DomainError && ENDS.has(String(error.code));

const STATUS = {
  ORIGIN_FOREIGN: 403,
  SIGN_IN_REFUSED: 401,
  TOTP_REQUIRED: 401,
  LINK_UNKNOWN: 401,
  TOO_MANY_ATTEMPTS: 429,
  BUSY: 503,
  PROVIDER_UNAVAILABLE: 503,
};

/** The session of the console: sign-in, refresh and sign-out of a browser whose refresh token is in a cookie. */
export function consoleRoutes(its: SessionRouteParts): HttpRoute[] {
  return [
    signIn('', 'signInToConsole', passwordForm, async ({ json, context, headers }) => {
      const { totpCode = null, ...typed } = parsed(passwordForm, json);
      return opened(headers, await its.signIns.signIn({ ...typed, totpCode, ip: context.ip }));
    }),
    signIn('/oidc', 'completeConsoleOidc', oidcForm, async ({ json, context, headers }) => {
      const { flowToken, callbackUrl } = parsed(oidcForm, json);
      return opened(headers, await its.oidc.complete(flowToken, callbackUrl, context.ip));
    }),
    signIn('/link', 'openConsoleLink', linkForm, async ({ json, context, headers }) =>
      opened(headers, await openLink(its, parsed(linkForm, json).token, context.ip)),
    ),
    route('/refresh', 'refreshConsoleSession', emptyForm, async ({ headers }) => refresh(its, headers)),
    route('/end', 'endConsoleSession', emptyForm, async ({ headers, context }) => {
      const { actor } = context;
      if (actor?.kind === 'STAFF' && actor.sessionId !== undefined) await its.signIns.signOut(actor, false);
      return answer({}, noSessionCookie(headers));
    }),
  ];
}

function route(
  path: string,
  id: string,
  schema: z.ZodType,
  run: (request: RouteRequest) => Promise<RouteAnswer>,
): HttpRoute {
  const about: RouteAbout = {
    id,
    summary: 'Of the console; only its own pages may call it.',
    takes: { kind: 'JSON', schema },
    answers: { 200: { description: 'Done.', contentType: 'application/json', schema: openedAnswer } },
    refusals: STATUS,
  };
  return {
    method: 'POST',
    path: `${SESSION_PATH}${path}`,
    isInternal: true,
    about,
    refusalBody: ({ code, message, field, retryAfterMs }: RouteRefusal) => ({
      errors: [{ code, message, field, retryAfterMs }],
    }),
    answer: async (request) => {
      requireOwnPage(request.headers);
      return run(request);
    },
  };
}

const parsed = <Form extends z.ZodType>(form: Form, json: unknown): z.output<Form> =>
  parseInput(form, json, { input: 'BAD_USER_INPUT' });

const signIn = (...its: Parameters<typeof route>): HttpRoute => ({ ...route(...its), signsStaffIn: true });

async function openLink({ links, staff, signIns, ids }: SessionRouteParts, token: string, ip: string) {
  const linked = await links.take(token, ids.next());
  const account = linked === null ? null : await staff.find(linked.tenantId, linked.staffId);
  const session = account === null ? null : await signIns.openProven(account, ip);
  if (session === null)
    throw new DomainError('LINK_UNKNOWN', 'This link was used before or has expired. Sign in another way.');
  return session;
}

/** A browser without a session is told so by an answer: that is no fault, and browsers report each 401 as one. */
async function refresh(
  { refreshes, signIns, ids }: SessionRouteParts,
  headers: RouteRequest['headers'],
): Promise<RouteAnswer> {
  const token = sessionCookieOf(headers);
  if (token === null) return answer(SIGNED_OUT, noSessionCookie(headers));
  try {
    const shared = await refreshes.run(token, ids.next(), async () =>
      storedText(await signIns.refresh(token)),
    );
    const { refreshExpiresAt, ...session } = JSON.parse(shared) as Stored;
    return opened(headers, { ...session, refreshExpiresAt: new Date(refreshExpiresAt) });
  } catch (error) {
    if (!hasEnded(error)) throw error;
    return answer(SIGNED_OUT, noSessionCookie(headers));
  }
}

const storedText = ({ accessToken, expiresAt, refreshToken, refreshExpiresAt }: StaffSession): string =>
  JSON.stringify({ accessToken, expiresAt, refreshToken, refreshExpiresAt });

function opened(
  headers: RouteRequest['headers'],
  session: Omit<StaffSession, 'staff' | 'expiresAt'> & { readonly expiresAt: Date | string },
): RouteAnswer {
  const { accessToken, expiresAt, refreshToken, refreshExpiresAt } = session;
  return answer({ accessToken, expiresAt }, sessionCookie(headers, refreshToken, refreshExpiresAt));
}

const answer = (body: object, cookie: string): RouteAnswer => ({
  contentType: 'application/json; charset=utf-8',
  headers: { 'set-cookie': cookie },
  body: JSON.stringify(body),
});
