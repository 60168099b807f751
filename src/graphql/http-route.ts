import type { z } from 'zod';
import type { RequestContext } from './context.js';

/**
 * An operation outside GraphQL: a file too large for it, or a caller that does not speak it. Who may use a route stands
 * in the table of permissions of its module.
 */
export interface HttpRoute {
  readonly method: 'GET' | 'PUT' | 'POST';
  /** In fastify's form: `/api/imports/:id`. */
  readonly path: string;
  /** For `/api/openapi.json`; the statuses of refusals also for the answers themselves. */
  readonly about: RouteAbout;
  /** The service judges the caller's access by itself and answers it as a refusal. */
  readonly judgesAccess?: boolean;
  /** Of the program's own pages; `/api/openapi.json` leaves it out. */
  readonly isInternal?: boolean;
  /** The caller proves who it is; what that changes is recorded as theirs. */
  readonly signsStaffIn?: boolean;
  /** Never waits behind lists, but behind other redemptions of its caller. */
  readonly isRedemption?: boolean;
  /** The body of a refusal; without it `{errors: [{message, extensions: {code}}]}`, as with GraphQL. */
  readonly refusalBody?: (refusal: RouteRefusal) => object;
  /** @throws DomainError or GraphQLError, which become the answer */
  readonly answer: (request: RouteRequest) => Promise<RouteAnswer>;
}

export interface RouteRequest {
  readonly context: RequestContext;
  readonly params: Readonly<Record<string, string>>;
  /** The first value of each parameter. */
  readonly query: Readonly<Record<string, string>>;
  /** Repeated headers joined; names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Of a route that takes a FILE; read at the pace of the handler. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Of a route that takes a SIGNED document: JSON as it was sent, not parsed. Empty for the others. */
  readonly document: Uint8Array;
  /** Of a route that takes JSON: the parsed body. */
  readonly json: unknown;
}

export interface RouteAnswer {
  readonly status?: number;
  readonly contentType: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Makes a browser store it under this name. */
  readonly fileName?: string;
  /** Made at the pace of the client. */
  readonly body: AsyncIterable<string | Uint8Array> | string | Uint8Array;
  /** Of a redemption: the same call would be refused again. */
  readonly isLastingRefusal?: boolean;
}

export interface RouteRefusal {
  readonly code: string;
  readonly message: string;
  /** Path of the field at fault in the body, where there is one. */
  readonly field: readonly string[] | null;
  readonly retryAfterMs: number | null;
}

/** What a route takes and answers, as the OpenAPI document says it. */
export interface RouteAbout {
  readonly id: string;
  readonly summary: string;
  readonly description?: string;
  /** Parameters, by name; those that take undefined are optional. */
  readonly path?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly headers?: z.ZodObject;
  /** A body in memory has at most `HTTP_BODY_LIMIT_BYTES`; a FILE is streamed. */
  readonly takes?: { readonly kind: 'JSON' | 'SIGNED' | 'FILE'; readonly schema?: z.ZodType };
  /** By status. */
  readonly answers: Readonly<Record<number, AnswerAbout>>;
  /** The status of each refusal, by its code. */
  readonly refusals: Readonly<Record<string, number>>;
  /** The schema of the bodies that `refusalBody` makes. */
  readonly refusalSchema?: z.ZodType;
}

export interface AnswerAbout {
  readonly description: string;
  readonly contentType: string;
  /** Without it the body is text or bytes. */
  readonly schema?: z.ZodType;
}
