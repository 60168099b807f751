import type { FastifyInstance, FastifyRequest } from 'fastify';
import { describeSpan, requestSpan } from '../platform/observability/tracing.js';
import { isRecord } from './asked-operation.js';

const NAMED = /^\s*(?:query|mutation|subscription)\s+(\w{1,64})/;

/** A span for each HTTP request, named by the pattern of its route: paths and queries can hold codes. */
export function traceRequests(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    const { method, headers, routeOptions } = request;
    const route = routeOptions.url ?? 'unknown';
    const attributes = { 'http.request.method': method, 'http.route': route };
    const span = requestSpan(`${method} ${route}`, headers, attributes);
    if (span === null) {
      done();
      return;
    }
    // Also where the client has gone before the answer.
    reply.raw.once('close', () => span.end(reply.statusCode));
    span.enter(done);
  });
}

/** Adds the name of the GraphQL operation to the request's span. */
export function nameOperation({ body }: FastifyRequest): void {
  describeSpan(() => {
    const name = isRecord(body) ? (body['operationName'] ?? named(body['query'])) : undefined;
    return typeof name === 'string' ? { 'graphql.operation.name': name.slice(0, 64) } : {};
  });
}

function named(query: unknown): string | undefined {
  return typeof query === 'string' ? NAMED.exec(query)?.[1] : undefined;
}
