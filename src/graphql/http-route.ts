import type { RequestContext } from './context.js';

/** What is not for GraphQL: files that are too large for it, and callers that do not speak it. */
export interface HttpRoute {
  readonly method: 'GET' | 'PUT' | 'POST';
  /** As fastify writes it: `/api/imports/:id`. */
  readonly path: string;
  /** @throws DomainError or GraphQLError, which become the answer */
  readonly answer: (request: RouteRequest) => Promise<RouteAnswer>;
}

export interface RouteRequest {
  readonly context: RequestContext;
  readonly params: Readonly<Record<string, string>>;
  /** The first value of each parameter. */
  readonly query: Readonly<Record<string, string>>;
  /** Of headers that came several times, what they came to; names in small letters. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Of a PUT; read at the pace of the handler. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Of a POST: JSON as it was sent, not parsed, at most `HTTP_BODY_LIMIT_BYTES`. Empty for the others. */
  readonly document: Uint8Array;
}

export interface RouteAnswer {
  readonly status?: number;
  readonly contentType: string;
  /** Makes a browser store it under this name. */
  readonly fileName?: string;
  /** Made at the pace of the client. */
  readonly body: AsyncIterable<string | Uint8Array> | string | Uint8Array;
}
