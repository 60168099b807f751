import type { FastifyInstance, FastifyRequest } from 'fastify';

/** The name of a header that forces a preflight where a browser sends it to another origin; Apollo looks for it. */
const PREFLIGHTED = 'apollo-require-preflight';

/**
 * Takes persisted queries by GET from clients that send no header of their own with them, as urql does. Nothing can
 * be forged this way: the caller is named by a header, which a foreign page cannot add, and never by a cookie; a GET
 * changes nothing; and without CORS_ORIGINS a foreign page cannot read the answer.
 */
export function admitPersistedGets(scope: FastifyInstance): void {
  scope.addHook('onRequest', (request, _reply, done) => {
    if (request.method === 'GET') admit(request);
    done();
  });
}

function admit({ query, headers }: FastifyRequest): void {
  const isPersisted = typeof query === 'object' && query !== null && 'extensions' in query;
  if (isPersisted && headers.accept?.includes('json') === true) headers[PREFLIGHTED] ??= 'persisted';
}
