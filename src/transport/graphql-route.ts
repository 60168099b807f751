import { HeaderMap, type ApolloServer, type HTTPGraphQLRequest } from '@apollo/server';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { RequestContext } from '../graphql/context.js';
import { nameOperation } from './request-traces.js';
import { KnownOperations, type GraphqlReply, type KnownParts } from './known-operations.js';

interface RouteParts extends KnownParts {
  readonly apollo: ApolloServer<RequestContext>;
}

/** GraphQL over HTTP: known operations are executed at once, and Apollo answers everything else. */
export function addGraphqlRoute(scope: FastifyInstance, url: string, parts: RouteParts): void {
  const known = new KnownOperations(parts);
  // Nearly all requests name the same host, so it is not read again.
  let goodHost: string | null = null;
  scope.route({
    method: ['GET', 'POST'],
    url,
    exposeHeadRoute: false,
    handler: async (request, reply) => {
      if (request.headers.host !== goodHost) searchOf(request);
      goodHost = request.headers.host ?? null;
      parts.keys.narrow(request);
      nameOperation(request);
      const { status, headers, body } = (await known.reply(request)) ?? (await byApollo(request));
      for (const [name, value] of headers) void reply.header(name, value);
      return reply.code(status).send(body);
    },
  });

  const byApollo = async (request: FastifyRequest): Promise<GraphqlReply> => {
    let requestId: string | undefined;
    const {
      status = 200,
      headers,
      body,
    } = await parts.apollo.executeHTTPGraphQLRequest({
      httpGraphQLRequest: httpRequestOf(request, parts.keys.searchOf(request.raw)),
      context: async () => {
        const context = parts.contextOf(request);
        ({ requestId } = context);
        return context;
      },
    });
    if (body.kind !== 'complete')
      throw new Error('No directive of the schema makes a reply of several parts.');
    if (status === 200) known.learn(request, headers.get('content-type'));
    if (requestId !== undefined) headers.set('x-request-id', requestId);
    return { status, headers, body: body.string };
  };
}

/** @throws TypeError ERR_INVALID_URL where the host header is no host */
function searchOf({ url, protocol, hostname }: FastifyRequest): string {
  return new URL(url, `${protocol}://${hostname}/`).search;
}

function httpRequestOf(request: FastifyRequest, search = searchOf(request)): HTTPGraphQLRequest {
  const { body, method, headers } = request;
  const map = new HeaderMap();
  for (const [name, value] of Object.entries(headers)) {
    if (value) map.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  return { body, method, headers: map, search };
}
