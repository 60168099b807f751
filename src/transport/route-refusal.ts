import type { FastifyReply } from 'fastify';
import { GraphQLError } from 'graphql';
import type { RequestContext } from '../graphql/context.js';
import type { HttpRoute, RouteRefusal } from '../graphql/http-route.js';
import { DomainError } from '../platform/errors.js';
import { presentError } from './error-format.js';

/** The statuses of refusals that any route can answer. */
export const COMMON_STATUS: Readonly<Record<string, number>> = {
  BAD_USER_INPUT: 400,
  BAD_REQUEST: 400,
  UNAUTHENTICATED: 401,
  SESSION_ENDED: 401,
  API_KEY_REVOKED: 401,
  API_KEY_EXPIRED: 401,
  FORBIDDEN: 403,
  TENANT_NOT_ACTIVE: 403,
  USER_DISABLED: 403,
  NODE_NOT_FOUND: 403,
  PARTNER_DISABLED: 403,
  REQUEST_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  RATE_LIMITED: 429,
  INTERNAL_SERVER_ERROR: 500,
  SERVICE_UNAVAILABLE: 503,
};

/** When to try again where nothing says so. */
const RETRY_S = '1';

export interface ShownRefusal extends RouteRefusal {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Further facts for the caller, such as the id of the request. */
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** @throws the error itself where nothing of it may be shown and no request is known to log it under */
export function refusalOf(error: unknown, route: HttpRoute, context: RequestContext | null): ShownRefusal {
  const { code, message, field = null, retryAfterMs = null, ...extensions } = shownOf(error, context);
  const fallback = isDomainError(error) ? 400 : 500;
  const status = route.about.refusals[code] ?? COMMON_STATUS[code] ?? fallback;
  return { status, code, message, field, retryAfterMs, extensions };
}

export async function sendRefusal(
  reply: FastifyReply,
  route: HttpRoute,
  { status, headers, extensions, ...refusal }: ShownRefusal,
): Promise<FastifyReply> {
  const { code, message, retryAfterMs } = refusal;
  if (retryAfterMs !== null) void reply.header('retry-after', String(Math.ceil(retryAfterMs / 1000)));
  else if (status === 503) void reply.header('retry-after', RETRY_S);
  void reply.code(status).headers({ ...headers, 'content-type': 'application/json; charset=utf-8' });
  const waits = retryAfterMs !== null && { retryAfterMs };
  const body = route.refusalBody?.(refusal) ?? {
    errors: [{ message, extensions: { code, ...waits, ...extensions } }],
  };
  return reply.send(JSON.stringify(body));
}

interface Shown {
  readonly code: string;
  readonly message: string;
  readonly field?: readonly string[] | null;
  readonly retryAfterMs?: number | null;
}

/** @param context null where the headers of the caller could not be read */
function shownOf(error: unknown, context: RequestContext | null): Shown {
  if (isDomainError(error)) return { code: error.code, message: error.message, ...error.details };
  if (context === null && !(error instanceof GraphQLError)) throw error;
  const { message, extensions } =
    context === null ? (error as GraphQLError) : presentError(asGraphqlError(error), context, true);
  const { http: _http, ...shown }: Record<string, unknown> = { ...extensions };
  return { message, code: 'INTERNAL_SERVER_ERROR', ...shown };
}

function isDomainError(error: unknown): error is DomainError {
  return error instanceof DomainError;
}

function asGraphqlError(error: unknown): GraphQLError {
  if (error instanceof GraphQLError) return error;
  const originalError = error instanceof Error ? error : new Error(String(error));
  return new GraphQLError(originalError.message, { originalError });
}
